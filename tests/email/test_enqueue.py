"""One message per cause and template, there if and only if its cause was committed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from app.core.ids import TenantId
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.email.public import ACCOUNT_LOCKED, PASSWORD_CHANGED, EmailContext, enqueue
from tests.core.evidence import audit_of, checksum
from tests.core.waiting import expect_eventually
from tests.email.support.people import CONTEXT, address, jobs_of, messages_of, queue


async def test_message_and_job_come_with_their_cause(
    runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    cause = uuid.uuid4()
    message_id = await queue(runtime, tenant_id, " Canary@Mail.Example ", cause)
    [message] = await messages_of(admin_connection, tenant_id)
    assert (message["id"], message["cause_id"], message["status"]) == (message_id, cause, "queued")
    assert (message["recipient"], message["template"], message["attempts"]) == (
        "canary@mail.example",
        "password_changed",
        0,
    )
    [job] = await jobs_of(admin_connection, tenant_id)
    assert b"canary" not in job["payload"] and str(message_id).encode() in job["payload"]
    [event] = await audit_of(admin_connection, message_id)
    assert event["action"] == "email_message.queued"
    for name in ("recipient", "context_json"):
        old, new = event["changed_fields_json"][name]
        assert old is None and new.startswith("digest:"), name


async def test_nothing_is_left_of_a_cause_that_rolled_back(
    runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    before = await checksum(admin_connection, tenant_id)
    with pytest.raises(ZeroDivisionError):
        async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
            await enqueue(uow, PASSWORD_CHANGED, address(), CONTEXT, uuid.uuid4())
            raise ZeroDivisionError
    assert await checksum(admin_connection, tenant_id) == before
    assert await jobs_of(admin_connection, tenant_id) == []


async def test_a_cause_that_is_handled_many_times_at_once_is_mailed_once(
    runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    cause = uuid.uuid4()
    ids = await asyncio.gather(*(queue(runtime, tenant_id, cause_id=cause) for _ in range(30)))
    assert len(set(ids)) == 1
    assert len(await messages_of(admin_connection, tenant_id)) == 1
    assert len(await jobs_of(admin_connection, tenant_id)) == 1


async def test_whoever_comes_second_waits_and_finds_the_first_ones_message(
    runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    """Its own cause goes on: a duplicate that the unique key refused would have undone it."""
    cause = uuid.uuid4()
    async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
        first = await enqueue(uow, PASSWORD_CHANGED, address(), CONTEXT, cause)
        second = asyncio.create_task(queue(runtime, tenant_id, cause_id=cause))
        await expect_eventually(lambda: _waits_for_a_lock(admin_connection))
    assert await second == first
    assert len(await messages_of(admin_connection, tenant_id)) == 1


async def _waits_for_a_lock(admin: asyncpg.Connection) -> bool:
    return bool(
        await admin.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    )


async def test_a_cause_may_have_a_message_of_each_template_and_a_tenant_its_own(
    runtime: Runtime,
    tenant_id: TenantId,
    new_tenant: Callable[[], Awaitable[TenantId]],
    admin_connection: asyncpg.Connection,
) -> None:
    cause = uuid.uuid4()
    first = await queue(runtime, tenant_id, cause_id=cause)
    async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
        context = EmailContext(agency="A", name="N")
        second = await enqueue(uow, ACCOUNT_LOCKED, address(), context, cause)
    third = await queue(runtime, await new_tenant(), cause_id=cause)
    assert len({first, second, third}) == 3
    assert len(await messages_of(admin_connection, tenant_id)) == 2


async def test_the_database_holds_the_promise_too(
    runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    message_id = await queue(runtime, tenant_id)
    with pytest.raises(asyncpg.UniqueViolationError, match="uq_email_messages_cause"):
        await admin_connection.execute(
            "INSERT INTO email_messages SELECT (jsonb_populate_record(NULL::email_messages,"
            " to_jsonb(m) || jsonb_build_object('id', gen_random_uuid()))).* FROM email_messages AS m WHERE id = $1",
            message_id,
        )
