"""Users, account tokens and messages, made as their own packages make them, with the events that `email` takes."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import asyncpg
import orjson

from app.core.account_tokens.models import AccountToken, AccountTokenPurpose
from app.core.account_tokens.sealing import token_hash, token_text
from app.core.audit.actions import AuditAction
from app.core.events import Topic
from app.core.ids import TenantId, new_id
from app.core.jobs.queue import run_job
from app.core.outbound.service import Attempts, job_of, sweep_of
from app.core.permissions import Principal, Role
from app.core.runtime import Runtime
from app.core.users.events import PASSWORD_RESET_REQUESTED, USER_INVITED
from app.core.users.lifecycle import UserStatus
from app.core.users.models import User
from app.email.messages.sending import MESSAGES, Delivery
from app.email.public import PASSWORD_CHANGED, AccountContext, enqueue

SEND = job_of(MESSAGES)
SWEEP = sweep_of((MESSAGES,))
CONTEXT = AccountContext(agency="Prairie Test Ambulance", name="Canary Quill")


class Act(AuditAction):
    MADE = "test.made"
    CHANGED = "test.changed"


def address() -> str:
    return f"canary-{uuid.uuid4().hex[:12]}@mail.example"


async def make_user(runtime: Runtime, tenant_id: TenantId, status: UserStatus = UserStatus.ACTIVE) -> User:
    user = User(tenant_id=tenant_id, email=address(), display_name="Canary Quill", role=Role.EMS, status=status)
    async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
        await uow.create(user, Act.MADE)
    return user


async def issue_token(
    runtime: Runtime, user: User, purpose: AccountTokenPurpose, life: dt.timedelta = dt.timedelta(hours=1)
) -> AccountToken:
    """With its event: USER_INVITED or PASSWORD_RESET_REQUESTED."""
    tenant_id, token_id = TenantId(user.tenant_id), new_id()
    token = AccountToken(
        id=token_id,
        tenant_id=tenant_id,
        user_id=user.id,
        purpose=purpose,
        token_hash=token_hash(token_text(runtime.keys, tenant_id, token_id)),
        expires_at=dt.datetime.now(dt.UTC) + life,
    )
    topic = USER_INVITED if purpose is AccountTokenPurpose.INVITATION else PASSWORD_RESET_REQUESTED
    async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
        await uow.create(token, Act.MADE, event=topic)
    return token


async def publish(runtime: Runtime, user: User, topic: Topic, **changes: Any) -> None:
    """A change of the user with its event."""
    uow = runtime.unit_of_work(Principal.system(TenantId(user.tenant_id)))
    async with uow, uow.change(user, Act.CHANGED, event=topic):
        user.display_name = f"{user.display_name}."
        for name, value in changes.items():
            setattr(user, name, value)


async def queue(
    runtime: Runtime, tenant_id: TenantId, to: str | None = None, cause_id: uuid.UUID | None = None
) -> uuid.UUID:
    async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
        return await enqueue(uow, PASSWORD_CHANGED, to or address(), CONTEXT, cause_id or uuid.uuid4())


async def bounce_message(runtime: Runtime, tenant_id: TenantId, to: str | None = None) -> uuid.UUID:
    """A message that was sent and came back: its recipient is suppressed."""
    message_id = await queue(runtime, tenant_id, to)
    principal = Principal.system(tenant_id)
    async with runtime.unit_of_work(principal) as uow:
        await Attempts(uow, MESSAGES).hold(message_id)
    async with runtime.unit_of_work(principal) as uow:
        await Delivery(uow).bounced(message_id, "ses-1", for_good=True)
    return message_id


async def jobs_of(admin: asyncpg.Connection, tenant_id: uuid.UUID) -> list[Any]:
    """The tenant's waiting attempts, oldest first."""
    rows = await admin.fetch("SELECT * FROM pgqueuer WHERE entrypoint = $1 ORDER BY id", SEND.name)
    return [row for row in rows if orjson.loads(row["payload"])["tenant_id"] == str(tenant_id)]


async def run_jobs(admin: asyncpg.Connection, runtime: Runtime, tenant_id: uuid.UUID) -> int:
    """Run the tenant's waiting attempts as the runner would, those of later too; how many there were."""
    waiting = await jobs_of(admin, tenant_id)
    for row in waiting:
        await admin.execute("DELETE FROM pgqueuer WHERE id = $1", row["id"])
        await run_job(runtime, SEND, row["payload"])
    return len(waiting)


async def stored(admin: asyncpg.Connection, message_id: uuid.UUID) -> Any:
    [row] = await admin.fetch("SELECT * FROM email_messages WHERE id = $1", message_id)
    return row


async def messages_of(admin: asyncpg.Connection, tenant_id: uuid.UUID) -> list[Any]:
    return list(await admin.fetch("SELECT * FROM email_messages WHERE tenant_id = $1 ORDER BY id", tenant_id))


async def end_lease(admin: asyncpg.Connection, message_id: uuid.UUID) -> None:
    await admin.execute("UPDATE email_messages SET lease_until = now() - interval '1 s' WHERE id = $1", message_id)
