"""What SES reports: once in effect however often it is sent, never backwards, and only about mail that is ours."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.ids import TenantId
from app.core.inbox.settling import finish_due
from app.core.outbound.service import Attempts
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.email.messages.sending import MESSAGES, Delivery
from app.email.notices.ses import read_notice
from app.registry import WEBHOOKS
from tests.core.evidence import audit_of, checksum
from tests.email.support.people import SWEEP, address, end_lease, jobs_of, queue, run_jobs, stored
from tests.email.support.ses_server import Reset, SesServer
from tests.email.support.topic import Topic, bounce, ses_event
from tests.support.actors import Actor
from tests.support.shadow import shadowed

TEXT = {"content-type": "text/plain; charset=UTF-8"}


async def post(sns: Actor, body: bytes, status: int = 204) -> None:
    answer = await sns.post("webhooks/ses", content=body, headers=TEXT)
    assert answer.status_code == status, answer.text


async def sent(runtime: Runtime, admin: asyncpg.Connection, tenant_id: TenantId, to: str | None = None) -> uuid.UUID:
    message_id = await queue(runtime, tenant_id, to)
    await run_jobs(admin, runtime, tenant_id)
    assert (await stored(admin, message_id))["status"] == "sent"
    return message_id


async def suppressions(admin: asyncpg.Connection, tenant_id: uuid.UUID) -> list[Any]:
    return list(await admin.fetch("SELECT * FROM email_suppressions WHERE tenant_id = $1", tenant_id))


async def receipts(admin: asyncpg.Connection, tenant_id: uuid.UUID) -> list[Any]:
    return list(await admin.fetch("SELECT * FROM webhook_receipts WHERE tenant_id = $1", tenant_id))


async def test_a_permanent_bounce_suppresses_the_recipient(
    runtime: Runtime, tenant_id: TenantId, sns: Actor, topic: Topic, admin_connection: asyncpg.Connection
) -> None:
    to = address()
    message_id = await sent(runtime, admin_connection, tenant_id, to)
    await post(sns, topic.notification(bounce(message_id)))
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["failure_code"]) == ("bounced", "PERMANENT_BOUNCE")
    [suppression] = await suppressions(admin_connection, tenant_id)
    assert (suppression["address"], suppression["reason"], suppression["message_id"]) == (to, "bounce", message_id)
    [receipt] = await receipts(admin_connection, tenant_id)
    assert (receipt["provider"], receipt["status"]) == ("ses", "processed")
    told = [event["action"] for event in await audit_of(admin_connection, receipt["id"])]
    assert told == ["webhook_receipt.received", "webhook_receipt.processed"]
    [audited] = await audit_of(admin_connection, suppression["id"])
    assert to not in str(audited) and "address" in audited["changed_fields_json"]


async def test_audit_log_tells_every_step(
    ses_runtime: Runtime,
    new_tenant: Callable[[], Awaitable[TenantId]],
    sns: Actor,
    topic: Topic,
    ses: SesServer,
    admin_connection: asyncpg.Connection,
) -> None:
    """The receipts are left out: the shadow does not watch what may be stored before its agency is known."""
    async with shadowed(admin_connection) as shadow:
        tenant_id = await new_tenant()
        message_id = await queue(ses_runtime, tenant_id)
        ses.script = [Reset()]
        await run_jobs(admin_connection, ses_runtime, tenant_id)
        await run_jobs(admin_connection, ses_runtime, tenant_id)
        await post(sns, topic.notification(bounce(message_id, "Transient")))
        await post(sns, topic.notification(bounce(message_id)))
        changed = {change.entity_type for change in await shadow.changes(tenant_id)}
        assert changed >= {"email_message", "email_suppression"}
        told_wrongly = await shadow.disagreements(tenant_id)
        assert [found for found in told_wrongly if not found.startswith("webhook_receipt ")] == []


async def test_what_is_suppressed_is_not_sent(
    ses_runtime: Runtime,
    tenant_id: TenantId,
    sns: Actor,
    topic: Topic,
    ses: SesServer,
    admin_connection: asyncpg.Connection,
) -> None:
    to = address()
    message_id = await sent(ses_runtime, admin_connection, tenant_id, to)
    waiting = await queue(ses_runtime, tenant_id, to)
    await post(sns, topic.notification(bounce(message_id)))
    later = await queue(ses_runtime, tenant_id, to.upper())
    await run_jobs(admin_connection, ses_runtime, tenant_id)
    for suppressed in (waiting, later):
        message = await stored(admin_connection, suppressed)
        assert (message["status"], message["failure_code"]) == ("failed", "SUPPRESSED")
        assert ses.tagged(suppressed) == []


async def test_a_suppression_is_one_agencys(
    ses_runtime: Runtime,
    tenant_id: TenantId,
    new_tenant: Callable[[], Awaitable[TenantId]],
    sns: Actor,
    topic: Topic,
    ses: SesServer,
    admin_connection: asyncpg.Connection,
) -> None:
    to, other = address(), await new_tenant()
    await post(sns, topic.notification(bounce(await sent(ses_runtime, admin_connection, tenant_id, to))))
    await sent(ses_runtime, admin_connection, other, to)
    assert await suppressions(admin_connection, other) == []


@pytest.mark.parametrize("kind", ["Transient", "Undetermined", None])
async def test_a_transient_bounce_is_recorded_only(
    runtime: Runtime,
    tenant_id: TenantId,
    sns: Actor,
    topic: Topic,
    admin_connection: asyncpg.Connection,
    kind: str | None,
) -> None:
    message_id = await sent(runtime, admin_connection, tenant_id)
    await post(sns, topic.notification(bounce(message_id, kind)))  # type: ignore[arg-type]
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["failure_code"]) == ("sent", "TRANSIENT_BOUNCE")
    assert await suppressions(admin_connection, tenant_id) == []


async def test_a_complaint_suppresses_the_recipient(
    runtime: Runtime, tenant_id: TenantId, sns: Actor, topic: Topic, admin_connection: asyncpg.Connection
) -> None:
    message_id = await sent(runtime, admin_connection, tenant_id)
    await post(sns, topic.notification(ses_event("Complaint", message_id, complaintFeedbackType="not-spam")))
    assert (await stored(admin_connection, message_id))["status"] == "sent", "that was praise"
    await post(sns, topic.notification(ses_event("Complaint", message_id, complaintFeedbackType="abuse")))
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["failure_code"]) == ("complained", "COMPLAINT")
    [suppression] = await suppressions(admin_connection, tenant_id)
    assert suppression["reason"] == "complaint"


async def test_feedback_of_an_identity_names_the_message_by_the_providers_id(
    ses_runtime: Runtime,
    tenant_id: TenantId,
    sns: Actor,
    topic: Topic,
    ses: SesServer,
    admin_connection: asyncpg.Connection,
) -> None:
    message_id = await sent(ses_runtime, admin_connection, tenant_id)
    unique = f"ses-{uuid.uuid4()}"
    await admin_connection.execute(
        "UPDATE email_messages SET provider_message_id = $2 WHERE id = $1", message_id, unique
    )
    event = bounce(None, provider_id=unique)
    event["notificationType"] = event.pop("eventType")
    await post(sns, topic.notification(event))
    assert (await stored(admin_connection, message_id))["status"] == "bounced"


@pytest.mark.parametrize("kind", ["Send", "Delivery"])
async def test_a_notice_records_what_the_sender_could_not(
    runtime: Runtime,
    tenant_id: TenantId,
    sns: Actor,
    topic: Topic,
    admin_connection: asyncpg.Connection,
    kind: str,
) -> None:
    """The sender died after SES's acceptance: the notice with our tag keeps the message from being sent again."""
    message_id = await queue(runtime, tenant_id)
    async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
        assert await Attempts(uow, MESSAGES).hold(message_id) is not None
    await post(sns, topic.notification(ses_event(kind, message_id, "ses-lost")))
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["provider_message_id"]) == ("sent", "ses-lost")
    assert message["lease_until"] is None and message["sent_at"] is not None


async def test_a_notice_keeps_an_unanswered_message_from_being_sent_twice(
    ses_runtime: Runtime,
    tenant_id: TenantId,
    sns: Actor,
    topic: Topic,
    ses: SesServer,
    admin_connection: asyncpg.Connection,
) -> None:
    message_id = await queue(ses_runtime, tenant_id)
    ses.script = [Reset()]
    await run_jobs(admin_connection, ses_runtime, tenant_id)
    assert (await stored(admin_connection, message_id))["status"] == "queued"
    await post(sns, topic.notification(ses_event("Delivery", message_id, "ses-lost")))
    assert await run_jobs(admin_connection, ses_runtime, tenant_id) == 1
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["provider_message_id"]) == ("sent", "ses-lost")
    assert len(ses.tagged(message_id)) == 1


async def test_a_bounce_may_come_before_the_record(
    runtime: Runtime, tenant_id: TenantId, sns: Actor, topic: Topic, admin_connection: asyncpg.Connection
) -> None:
    message_id = await queue(runtime, tenant_id)
    async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
        await Attempts(uow, MESSAGES).hold(message_id)
    await post(sns, topic.notification(bounce(message_id)))
    async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
        await Delivery(uow).accepted(message_id, "ses-1")
    assert (await stored(admin_connection, message_id))["status"] == "bounced"
    actions = [event["action"] for event in await audit_of(admin_connection, message_id)]
    assert actions == [f"email_message.{done}" for done in ("queued", "started", "accepted", "bounced")]


async def test_late_notices_never_move_a_message_backwards(
    runtime: Runtime, tenant_id: TenantId, sns: Actor, topic: Topic, admin_connection: asyncpg.Connection
) -> None:
    message_id = await sent(runtime, admin_connection, tenant_id)
    await post(sns, topic.notification(bounce(message_id)))
    before = await stored(admin_connection, message_id)
    for late in (
        ses_event("Send", message_id),
        ses_event("Delivery", message_id),
        bounce(message_id, "Transient"),
        bounce(message_id),
        ses_event("Complaint", message_id),
    ):
        await post(sns, topic.notification(late))
    assert await stored(admin_connection, message_id) == before
    assert len(await suppressions(admin_connection, tenant_id)) == 1
    assert len(await receipts(admin_connection, tenant_id)) == 6


async def test_a_message_that_was_never_tried_is_not_taken_for_sent(
    runtime: Runtime, tenant_id: TenantId, sns: Actor, topic: Topic, admin_connection: asyncpg.Connection
) -> None:
    message_id = await queue(runtime, tenant_id)
    await post(sns, topic.notification(ses_event("Send", message_id)))
    assert (await stored(admin_connection, message_id))["status"] == "queued"
    assert len(await jobs_of(admin_connection, tenant_id)) == 1


async def test_a_notice_sent_two_hundred_times_takes_effect_once(
    runtime: Runtime, tenant_id: TenantId, sns: Actor, topic: Topic, admin_connection: asyncpg.Connection
) -> None:
    message_id = await sent(runtime, admin_connection, tenant_id)
    body = topic.notification(bounce(message_id))
    answers = await asyncio.gather(*(sns.post("webhooks/ses", content=body, headers=TEXT) for _ in range(200)))
    assert {answer.status_code for answer in answers} == {204}
    [receipt] = await receipts(admin_connection, tenant_id)
    assert [event["action"] for event in await audit_of(admin_connection, receipt["id"])] == [
        "webhook_receipt.received",
        "webhook_receipt.processed",
    ]
    kept = "SELECT count(*) FROM webhook_bodies WHERE receipt_id = $1"
    assert await admin_connection.fetchval(kept, receipt["id"]) == 0, "only the hash stays"
    assert len(await suppressions(admin_connection, tenant_id)) == 1
    actions = [event["action"] for event in await audit_of(admin_connection, message_id)]
    assert actions == [f"email_message.{done}" for done in ("queued", "started", "accepted", "bounced")]
    assert len(topic.visited) <= 1, "the certificate is fetched once"


async def test_two_messages_to_one_address_that_bounce_at_once_make_one_suppression(
    runtime: Runtime, tenant_id: TenantId, sns: Actor, topic: Topic, admin_connection: asyncpg.Connection
) -> None:
    to = address()
    ids = [await sent(runtime, admin_connection, tenant_id, to) for _ in range(6)]
    answers = await asyncio.gather(
        *(sns.post("webhooks/ses", content=topic.notification(bounce(one)), headers=TEXT) for one in ids)
    )
    assert [answer.status_code for answer in answers] == [204] * 6
    assert len(await suppressions(admin_connection, tenant_id)) == 1


@pytest.mark.parametrize(
    "message",
    [
        "plain text",
        "[]",
        "null",
        {"eventType": "Open", "mail": {}},
        {"eventType": "Bounce"},
        {"eventType": "Bounce", "mail": [], "bounce": None},
        {"eventType": ["Bounce"], "mail": {"tags": {"message_id": [{}]}}},
        ses_event("Delivery", uuid.uuid4()) | {"mail": {"tags": {"message_id": ["not an id"]}, "messageId": 7}},
        ses_event("Delivery", uuid.uuid4(), "ses-of-somebody-else"),
        ses_event("Delivery", None, None),
    ],
    ids=range(10),
)
async def test_genuine_notices_about_nothing_of_ours_are_taken_and_forgotten(
    sns: Actor, topic: Topic, admin_connection: asyncpg.Connection, message: dict[str, Any] | str
) -> None:
    count = "SELECT count(*) FROM webhook_receipts WHERE provider = 'ses'"
    before = await admin_connection.fetchval(count)
    await post(sns, topic.notification(message))
    assert await admin_connection.fetchval(count) == before


odd = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5) | st.lists(st.text(max_size=5), max_size=2)
part = odd | st.fixed_dictionaries(
    {},
    optional={
        "messageId": odd,
        "tags": odd | st.fixed_dictionaries({"message_id": odd | st.lists(odd, max_size=2)}),
        "bounceType": odd,
    },
)


@given(
    event=st.fixed_dictionaries(
        {"eventType": st.sampled_from(["Bounce", "Complaint", "Send", "Open"]) | odd},
        optional={"mail": part, "bounce": part, "complaint": part},
    )
)
def test_no_event_is_too_odd_to_be_read(event: dict[str, Any]) -> None:
    notice = read_notice(json.dumps(event))
    assert (notice is None) is (event["eventType"] not in ("Bounce", "Complaint", "Send"))


async def test_a_notice_that_fails_midway_leaves_nothing_and_works_the_next_time(
    runtime: Runtime,
    tenant_id: TenantId,
    sns: Actor,
    topic: Topic,
    admin_connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message_id = await sent(runtime, admin_connection, tenant_id)
    before = await checksum(admin_connection, tenant_id)
    body = topic.notification(bounce(message_id))

    async def broken(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr("app.email.messages.sending.SuppressionService.suppress", broken)
        await post(sns, body, 503)
    after = await checksum(admin_connection, tenant_id)
    assert {table for table in after if after[table] != before[table]} == {"webhook_receipts", "audit_events"}
    [receipt] = await receipts(admin_connection, tenant_id)
    assert receipt["status"] == "received"
    assert [event["action"] for event in await audit_of(admin_connection, receipt["id"])] == [
        "webhook_receipt.received"
    ]
    await post(sns, body)
    assert (await stored(admin_connection, message_id))["status"] == "bounced"
    assert len(await suppressions(admin_connection, tenant_id)) == 1


async def test_a_notice_that_was_interrupted_is_finished_by_the_job(
    runtime: Runtime,
    tenant_id: TenantId,
    sns: Actor,
    topic: Topic,
    admin_connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message_id = await sent(runtime, admin_connection, tenant_id)

    async def broken(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr("app.email.messages.sending.SuppressionService.suppress", broken)
        await post(sns, topic.notification(bounce(message_id)), 503)
    [receipt] = await receipts(admin_connection, tenant_id)
    await admin_connection.execute(
        "UPDATE webhook_bodies SET next_attempt_at = now() WHERE receipt_id = $1", receipt["id"]
    )
    await finish_due(WEBHOOKS, runtime)
    assert (await stored(admin_connection, message_id))["status"] == "bounced"
    [receipt] = await receipts(admin_connection, tenant_id)
    assert receipt["status"] == "processed"


async def test_an_ended_lease_and_a_notice_at_once_agree(
    ses_runtime: Runtime,
    tenant_id: TenantId,
    sns: Actor,
    topic: Topic,
    ses: SesServer,
    admin_connection: asyncpg.Connection,
) -> None:
    for _ in range(5):
        message_id = await queue(ses_runtime, tenant_id)
        async with ses_runtime.unit_of_work(Principal.system(tenant_id)) as uow:
            await Attempts(uow, MESSAGES).hold(message_id)
        await end_lease(admin_connection, message_id)
        await asyncio.gather(
            SWEEP.run(ses_runtime), post(sns, topic.notification(ses_event("Send", message_id, "ses-lost")))
        )
        await run_jobs(admin_connection, ses_runtime, tenant_id)
        assert (await stored(admin_connection, message_id))["status"] == "sent"
        assert ses.tagged(message_id) == []
