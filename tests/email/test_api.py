"""What administrators see of messages and suppressions, and that nobody else sees any of it."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.email.messages.sending import Delivery
from tests.core.evidence import audit_of, checksum
from tests.email.support.people import address, bounce_message, queue, run_jobs, stored
from tests.support.actors import Agency


async def test_messages_are_listed_without_their_texts(
    runtime: Runtime, agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    to = address()
    failed = await bounce_message(runtime, agency.tenant_id, to)
    queued = await queue(runtime, agency.tenant_id)
    page = await agency.admin.expect(200, "GET", "email/messages")
    assert [item["id"] for item in page["items"]] == [str(queued), str(failed)]
    assert set(page["items"][0]) == {
        "id", "version", "created_at", "updated_at", "deleted_at", "template", "template_version", "recipient",
        "status", "allowed_actions", "attempts", "sent_at", "failure_code",
    }  # fmt: skip
    assert page["items"][1]["recipient"] == to
    assert page["items"][1]["failure_code"] == "PERMANENT_BOUNCE"
    for query, expected in (
        ("status=bounced", [failed]),
        ("status=queued", [queued]),
        ("status=sent", []),
        ("template=password_changed&sort=created_at", [failed, queued]),
        ("template=invitation", []),
        ("status=queued&template=password_changed", [queued]),
    ):
        page = await agency.admin.expect(200, "GET", f"email/messages?{query}")
        assert [item["id"] for item in page["items"]] == [str(one) for one in expected], query
    for query in ("status=lost", "template=..%2F", "template=A"):
        await agency.admin.expect(422, "GET", f"email/messages?{query}")


async def test_a_suppression_can_be_lifted_when_the_mailbox_was_put_right(
    runtime: Runtime, agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    to = address()
    message_id = await bounce_message(runtime, agency.tenant_id, to)
    [item] = (await agency.admin.expect(200, "GET", "email/suppressions"))["items"]
    assert (item["address"], item["reason"], item["message_id"]) == (to, "bounce", str(message_id))
    path = f"email/suppressions/{item['id']}"
    await agency.admin.expect(409, "DELETE", f"{path}?version=2")
    await agency.admin.expect(204, "DELETE", f"{path}?version=1")
    await agency.admin.expect(404, "DELETE", f"{path}?version=2")
    assert (await agency.admin.expect(200, "GET", "email/suppressions"))["items"] == []
    again = await queue(runtime, agency.tenant_id, to)
    await run_jobs(admin_connection, runtime, agency.tenant_id)
    assert (await stored(admin_connection, again))["status"] == "sent"
    [_, lifted] = await audit_of(admin_connection, uuid.UUID(item["id"]))
    assert lifted["action"] == "email_suppression.lifted" and lifted["actor_user_id"] is not None
    async with runtime.unit_of_work(Principal.system(agency.tenant_id)) as uow:
        await Delivery(uow).bounced(again, None, for_good=True)
    assert len((await agency.admin.expect(200, "GET", "email/suppressions"))["items"]) == 1, "it bounced again"


async def test_another_agency_sees_and_lifts_nothing(
    runtime: Runtime,
    agency: Agency,
    found: Callable[[], Awaitable[Agency]],
    admin_connection: asyncpg.Connection,
) -> None:
    other = await found()
    await bounce_message(runtime, agency.tenant_id)
    [item] = (await agency.admin.expect(200, "GET", "email/suppressions"))["items"]
    before = await checksum(admin_connection, agency.tenant_id)
    for path in ("email/messages", "email/suppressions"):
        assert (await other.admin.expect(200, "GET", path))["items"] == []
    foreign = await other.admin.expect(404, "DELETE", f"email/suppressions/{item['id']}?version=1")
    missing = await other.admin.expect(404, "DELETE", f"email/suppressions/{uuid.uuid4()}?version=1")
    for answer in (foreign, missing):
        answer["error"].pop("trace_id")
    assert foreign == missing
    assert await checksum(admin_connection, agency.tenant_id) == before


@pytest.mark.parametrize("who", ["medic", "supervisor", "biller", "founder"])
async def test_only_administrators_see_them(
    runtime: Runtime, agency: Agency, admin_connection: asyncpg.Connection, who: str
) -> None:
    await bounce_message(runtime, agency.tenant_id)
    [item] = (await agency.admin.expect(200, "GET", "email/suppressions"))["items"]
    actor = agency.actors[who]
    before = await checksum(admin_connection, agency.tenant_id)
    await actor.expect(403, "GET", "email/messages")
    await actor.expect(403, "GET", "email/suppressions")
    await actor.expect(403, "DELETE", f"email/suppressions/{item['id']}?version=1")
    assert await checksum(admin_connection, agency.tenant_id) == before
