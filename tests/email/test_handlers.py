"""Core's four events become messages, and what no longer holds is not mailed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import asyncpg
import pytest

from app.core.account_tokens.lifecycle import AccountTokenTransition, account_token_lifecycle
from app.core.account_tokens.models import AccountToken, AccountTokenPurpose
from app.core.account_tokens.sealing import token_text
from app.core.clock import utcnow
from app.core.ids import TenantId
from app.core.outbox.relay import OutboxRelay
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.core.users.events import PASSWORD_CHANGED, USER_LOCKED
from app.core.users.lifecycle import UserStatus
from app.core.users.models import User
from app.email.handlers import _in_words
from tests.email.support.people import Act, issue_token, make_user, messages_of, publish, run_jobs
from tests.email.support.ses_server import SesServer

LINKS = [
    (AccountTokenPurpose.INVITATION, UserStatus.INVITED, "invitation"),
    (AccountTokenPurpose.PASSWORD_RESET, UserStatus.ACTIVE, "password_reset"),
]


def text_of(ses: SesServer, message_id: object) -> str:
    body = ses.mail(message_id).get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


async def delete(runtime: Runtime, user: User) -> None:
    uow = runtime.unit_of_work(Principal.system(TenantId(user.tenant_id)))
    async with uow, uow.change(user, Act.CHANGED):
        user.deleted_at = utcnow()


@pytest.mark.parametrize(("purpose", "status", "template"), LINKS)
async def test_a_token_that_was_issued_is_mailed_as_a_link(
    ses_runtime: Runtime,
    tenant_id: TenantId,
    relay: OutboxRelay,
    ses: SesServer,
    admin_connection: asyncpg.Connection,
    purpose: AccountTokenPurpose,
    status: UserStatus,
    template: str,
) -> None:
    user = await make_user(ses_runtime, tenant_id, status)
    token = await issue_token(ses_runtime, user, purpose)
    await relay.drain()
    await relay.drain()
    [message] = await messages_of(admin_connection, tenant_id)
    assert (message["template"], message["recipient"]) == (template, user.email)
    await run_jobs(admin_connection, ses_runtime, tenant_id)
    text = text_of(ses, message["id"])
    secret = token_text(ses_runtime.keys, tenant_id, token.id)
    assert f"\nhttps://app.fusionems.example/account#token={secret}\n" in text
    assert "Hello Canary Quill," in text and "Prairie Test Ambulance" in text
    assert _in_words(token.expires_at, "America/Chicago") in text
    assert secret not in str(dict(message)), "the token is stored nowhere"
    slug = await admin_connection.fetchval("SELECT slug FROM tenants WHERE id = $1", tenant_id)
    named = f"the agency\n\n{slug}\n" in text
    assert named is (purpose is AccountTokenPurpose.INVITATION), "who never signed in learns with what"


@pytest.mark.parametrize(("purpose", "status", "template"), LINKS)
@pytest.mark.parametrize("spoilt", ["withdrawn", "used", "expired", "deleted user", "disabled user", "deleted token"])
async def test_a_token_that_opens_nothing_any_more_is_not_mailed(
    runtime: Runtime,
    tenant_id: TenantId,
    relay: OutboxRelay,
    admin_connection: asyncpg.Connection,
    purpose: AccountTokenPurpose,
    status: UserStatus,
    template: str,
    spoilt: str,
) -> None:
    user = await make_user(runtime, tenant_id, UserStatus.DISABLED if spoilt == "disabled user" else status)
    life = dt.timedelta(seconds=-1 if spoilt == "expired" else 3600)
    token = await issue_token(runtime, user, purpose, life)
    await spoil(runtime, tenant_id, token, user, spoilt)
    await relay.drain()
    assert await messages_of(admin_connection, tenant_id) == []
    assert await admin_connection.fetchval(
        "SELECT bool_and(published_at IS NOT NULL) FROM outbox_events WHERE tenant_id = $1", tenant_id
    )


async def spoil(runtime: Runtime, tenant_id: TenantId, token: AccountToken, user: User, how: str) -> None:
    async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
        if how in ("withdrawn", "used"):
            action = AccountTokenTransition.WITHDRAW if how == "withdrawn" else AccountTokenTransition.USE
            await account_token_lifecycle.fire(uow, token, action, None)
        elif how == "deleted token":
            async with uow.change(token, Act.CHANGED):
                token.deleted_at = utcnow()
    if how == "deleted user":
        await delete(runtime, user)


async def test_each_change_of_a_password_is_mailed(
    ses_runtime: Runtime,
    tenant_id: TenantId,
    relay: OutboxRelay,
    ses: SesServer,
    admin_connection: asyncpg.Connection,
) -> None:
    user = await make_user(ses_runtime, tenant_id)
    await publish(ses_runtime, user, PASSWORD_CHANGED)
    await publish(ses_runtime, user, PASSWORD_CHANGED)
    await relay.drain()
    messages = await messages_of(admin_connection, tenant_id)
    assert [message["template"] for message in messages] == ["password_changed"] * 2
    await run_jobs(admin_connection, ses_runtime, tenant_id)
    for message in messages:
        assert "was changed" in text_of(ses, message["id"]) and "#token" not in text_of(ses, message["id"])


@pytest.mark.parametrize(
    ("changes", "mailed"),
    [({"status": UserStatus.LOCKED}, 1), ({"status": UserStatus.ACTIVE}, 0)],
    ids=["locked", "unlocked"],
)
async def test_a_lock_is_mailed_while_it_lasts(
    runtime: Runtime,
    tenant_id: TenantId,
    relay: OutboxRelay,
    admin_connection: asyncpg.Connection,
    changes: dict[str, Any],
    mailed: int,
) -> None:
    user = await make_user(runtime, tenant_id)
    await publish(runtime, user, USER_LOCKED, **changes)
    await relay.drain()
    assert [row["template"] for row in await messages_of(admin_connection, tenant_id)] == ["account_locked"] * mailed


async def test_a_deleted_user_is_told_nothing(
    runtime: Runtime, tenant_id: TenantId, relay: OutboxRelay, admin_connection: asyncpg.Connection
) -> None:
    user = await make_user(runtime, tenant_id, UserStatus.LOCKED)
    await publish(runtime, user, PASSWORD_CHANGED)
    await publish(runtime, user, USER_LOCKED)
    await delete(runtime, user)
    await relay.drain()
    assert await messages_of(admin_connection, tenant_id) == []


def test_times_are_said_in_the_agencys_own_zone() -> None:
    moment = dt.datetime(2026, 3, 3, 22, 5, tzinfo=dt.UTC)
    assert _in_words(moment, "America/Chicago") == "Tuesday, March 3, 2026, 04:05 PM CST"
    assert _in_words(moment, "America/Phoenix") == "Tuesday, March 3, 2026, 03:05 PM MST"
