"""Neither recipients nor names nor tokens are in a log, an audit diff, an event, a job, an error or Redis."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator

import asyncpg
import pytest
import structlog
from redis.asyncio import Redis

from app.core.account_tokens.models import AccountTokenPurpose
from app.core.account_tokens.sealing import token_text
from app.core.ids import TenantId
from app.core.jobs.queue import JobRunner
from app.core.logging import configure_logging
from app.core.outbox.relay import OutboxRelay
from app.core.runtime import Runtime
from app.core.users.lifecycle import UserStatus
from app.registry import LOG_KEYS
from tests.core.waiting import expect_eventually
from tests.email.support.people import SEND, SWEEP, end_lease, issue_token, make_user, messages_of, run_jobs
from tests.email.support.ses_server import Refusal, Reset, SesServer
from tests.email.support.topic import Topic, bounce, ses_event
from tests.support.actors import Actor

TEXT = {"content-type": "text/plain"}
# The rows of the entities themselves hold the address; what is written about them must not.
_ABOUT = {
    "audit_events": "changed_fields_json::text || coalesce(metadata_json::text, '')",
    "outbox_events": "payload::text",
    "webhook_receipts": "t::text",
    "pgqueuer": "convert_from(payload, 'UTF8') || coalesce(dedupe_key, '')",
    "pgqueuer_log": "t::text",
}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged from now on, down to DEBUG."""
    stream = io.StringIO()
    configure_logging("DEBUG", LOG_KEYS)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(stream))
    yield stream
    configure_logging("ERROR", LOG_KEYS)


async def redis_dump(url: str) -> str:
    """Every key with what is stored under it, in Redis's own serialisation."""
    async with Redis.from_url(url) as redis:
        return "\n".join([f"{key!r} {await redis.dump(key)!r}" async for key in redis.scan_iter()])


async def test_canary_is_nowhere_but_in_its_rows_and_in_the_mail(
    ses_runtime: Runtime,
    tenant_id: TenantId,
    relay: OutboxRelay,
    ses: SesServer,
    sns: Actor,
    topic: Topic,
    log: io.StringIO,
    admin_connection: asyncpg.Connection,
) -> None:
    user = await make_user(ses_runtime, tenant_id, UserStatus.INVITED)
    bad = await make_user(ses_runtime, tenant_id, UserStatus.INVITED)
    tokens = [await issue_token(ses_runtime, one, AccountTokenPurpose.INVITATION) for one in (user, bad)]
    await relay.drain()
    message, refused = await messages_of(admin_connection, tenant_id)
    await admin_connection.execute(
        'UPDATE email_messages SET recipient = $2, context_json = context_json || \'{"narrative": "Canary Quill"}\''
        " WHERE id = $1",
        refused["id"],
        f"{bad.email}, {bad.email}",
    )
    ses.script = [Refusal(503, "ServiceUnavailable"), Reset(), Refusal(429, "TooManyRequestsException")]
    for _ in range(3):
        await run_jobs(admin_connection, ses_runtime, tenant_id)
    await end_lease(admin_connection, message["id"])
    await SWEEP.run(ses_runtime)
    runner = asyncio.create_task(JobRunner(ses_runtime, (SEND,)).run())
    await admin_connection.execute("UPDATE pgqueuer SET execute_after = now() WHERE entrypoint = $1", SEND.name)
    await expect_eventually(lambda: len(ses.tagged(message["id"])) == 4)
    await expect_eventually(lambda: _sent(admin_connection, message["id"]))
    runner.cancel()
    await asyncio.gather(runner, return_exceptions=True)
    answers = [
        await sns.post("webhooks/ses", content=body, headers=TEXT)
        for body in (
            topic.notification(bounce(message["id"], "Transient")),
            topic.notification(ses_event("Complaint", message["id"])),
            topic.notification({**bounce(message["id"]), "note": user.email}, SignatureVersion="9"),
            topic.notification(user.email),
        )
    ]
    assert [answer.status_code for answer in answers] == [204, 204, 403, 204]

    secrets = [token_text(ses_runtime.keys, tenant_id, token.id) for token in tokens]
    canaries = [user.email, bad.email, "Canary Quill", "canary", *secrets]
    redis_url = ses_runtime.settings.redis_url
    assert redis_url is not None
    seen = {"log": log.getvalue(), "redis": await redis_dump(redis_url.get_secret_value())}
    seen["answers"] = "".join(answer.text for answer in answers)
    # What is written about the users themselves is their own package's concern (an address is no secret there).
    about = "AND entity_type LIKE 'email%'"
    for table, text in _ABOUT.items():
        where = f"WHERE tenant_id = '{tenant_id}'" if not table.startswith("pgqueuer") else "WHERE true"
        where += about if table == "audit_events" else ""
        rows = await admin_connection.fetch(f"SELECT {text} AS text FROM {table} AS t {where}")
        assert rows or table in ("pgqueuer", "webhook_receipts")
        seen[table] = "\n".join(str(row["text"]) for row in rows)
    assert str(message["id"]) in seen["log"], "the log does speak of the message"
    for place, text in seen.items():
        for canary in canaries:
            assert canary.lower() not in text.lower(), f"{canary} in {place}"


async def _sent(admin: asyncpg.Connection, message_id: object) -> bool:
    return bool(await admin.fetchval("SELECT status = 'sent' FROM email_messages WHERE id = $1", message_id))
