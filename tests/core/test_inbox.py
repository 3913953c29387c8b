"""Webhooks: stored once per provider's event, effective once, whatever is sent twice, fails or dies in between."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from fastapi import FastAPI

from app import registry
from app.core.clock import utcnow
from app.core.config import Settings
from app.core.db.pool import ConnectionSource
from app.core.db.uow import UnitOfWork
from app.core.errors import NotFound, ServiceUnavailable
from app.core.ids import TenantId, new_id
from app.core.inbox.providers import Delivery, WebhookProvider
from app.core.inbox.repository import ReceiptRepository, assign, find_pending, receive
from app.core.inbox.settling import MAX_ATTEMPTS, UNCLAIMED_AGE, finish_due, finishing, settle
from app.core.inbox.taking import take
from app.core.permissions import Principal, Role
from app.core.runtime import Runtime
from app.core.tenants.models import Tenant
from app.core.tenants.service import TenantAction
from app.main import create_app
from scripts.receipts import ReceiptRefused, Receipts, operate
from tests.core import webhooks
from tests.core.evidence import audit_of, checksum, one
from tests.core.http.contract import expect_refusal
from tests.core.principals import KEYS, principal_of
from tests.core.waiting import expect_eventually
from tests.core.webhooks import CANARY, PROBE, PROBE_STATE
from tests.support.actors import Actor, profile

DECLARED = (*registry.WEBHOOKS, PROBE)
ARRIVAL = ["webhook_receipt.received", "webhook_receipt.assigned"]


@dataclasses.dataclass
class Sender:
    """The provider: it signs an event of an agency and posts it."""

    actor: Actor
    agency: str
    event_id: str = dataclasses.field(default_factory=lambda: f"evt_{uuid.uuid4().hex}")

    def body(self, **changed: Any) -> bytes:
        return orjson.dumps({"id": self.event_id, "agency": self.agency, "patient": CANARY, **changed})

    async def post(self, status: int = 204, *, body: bytes | None = None) -> httpx.Response:
        content = self.body() if body is None else body
        answer = await self.actor.post("webhooks/probe", content=content, headers=PROBE_STATE.signed(content))
        assert answer.status_code == status, answer.text
        return answer

    def fails(self, *errors: Exception) -> None:
        PROBE_STATE.raising[self.event_id] = list(errors)


@pytest.fixture(scope="session")
async def hooked(charts: None, settings: Settings) -> AsyncIterator[FastAPI]:
    """The service, composed as ever, with one more provider in its registry."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "ROUTERS", (*registry.ROUTERS, webhooks.router))
        patch.setattr(registry, "WEBHOOKS", DECLARED)
        application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture(scope="session")
async def hooked_client(hooked: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(hooked, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        yield http


@pytest.fixture
async def sender(hooked_client: httpx.AsyncClient, tenant_id: TenantId, admin_connection: asyncpg.Connection) -> Sender:
    slug = await admin_connection.fetchval("SELECT slug FROM tenants WHERE id = $1", tenant_id)
    return Sender(Actor(hooked_client), slug)


@pytest.fixture
def signed_in(hooked: FastAPI, hooked_client: httpx.AsyncClient) -> Callable[[TenantId, Role], Actor]:
    """Somebody of that role with a token."""

    def issue(tenant_id: TenantId, role: Role) -> Actor:
        runtime: Runtime = hooked.state.runtime
        principal = principal_of(tenant_id, role)
        assert principal.user_id is not None
        token = runtime.tokens.issue(
            user_id=principal.user_id, tenant_id=tenant_id, role=role, is_reviewer=False, session_id=new_id()
        )
        return Actor(hooked_client, token)

    return issue


@pytest.fixture
def admin(signed_in: Callable[[TenantId, Role], Actor], tenant_id: TenantId) -> Actor:
    return signed_in(tenant_id, Role.ADMIN)


async def effects(connection: asyncpg.Connection, tenant_id: uuid.UUID) -> int:
    count: int = await connection.fetchval("SELECT count(*) FROM probe.charts WHERE tenant_id = $1", tenant_id)
    return count


async def receipt_of(connection: asyncpg.Connection, event_id: str) -> Any:
    return await one(connection, "SELECT * FROM webhook_receipts WHERE event_id = $1", event_id)


async def bodies(connection: asyncpg.Connection, receipt_id: uuid.UUID) -> list[Any]:
    return list(await connection.fetch("SELECT * FROM webhook_bodies WHERE receipt_id = $1", receipt_id))


async def told(connection: asyncpg.Connection, receipt_id: uuid.UUID) -> list[str]:
    return [event["action"] for event in await audit_of(connection, receipt_id)]


async def make_due(connection: asyncpg.Connection, event_id: str) -> None:
    """The time has come for the next attempt."""
    done = await connection.execute(
        "UPDATE webhook_bodies SET next_attempt_at = now() WHERE receipt_id ="
        " (SELECT id FROM webhook_receipts WHERE event_id = $1)",
        event_id,
    )
    assert done == "UPDATE 1"


async def test_an_event_is_received_assigned_and_processed(
    sender: Sender, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    await sender.post()
    stored = await receipt_of(admin_connection, sender.event_id)
    assert (stored["provider"], stored["status"], stored["tenant_id"]) == ("probe", "processed", tenant_id)
    assert (stored["version"], stored["failure"]) == (3, None) and stored["processed_at"] is not None
    assert stored["raw_hash"] == hashlib.sha256(sender.body()).hexdigest()
    assert await bodies(admin_connection, stored["id"]) == [], "only the hash stays"
    assert await effects(admin_connection, tenant_id) == 1
    received, assigned, processed = await audit_of(admin_connection, stored["id"])
    assert [event["action"] for event in (received, assigned, processed)] == [*ARRIVAL, "webhook_receipt.processed"]
    assert received["changed_fields_json"]["event_id"] == [None, sender.event_id]
    assert received["metadata_json"] == {"received_at": stored["created_at"].isoformat()}
    assert assigned["changed_fields_json"] == {"tenant_id": [None, str(tenant_id)]}
    assert assigned["metadata_json"] == {"by": "provider"}
    assert processed["changed_fields_json"]["status"] == ["received", "processed"]
    for event in (received, assigned, processed):
        assert (event["tenant_id"], event["actor_user_id"]) == (tenant_id, None)
        assert event["request_id"] is not None and CANARY not in str(event)
    assert CANARY not in str(dict(stored))


async def test_a_repeated_event_is_answered_alike_and_does_nothing(
    sender: Sender, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    await sender.post()
    before = await checksum(admin_connection, tenant_id)
    for _ in range(3):
        await sender.post()
    assert await checksum(admin_connection, tenant_id) == before
    assert await effects(admin_connection, tenant_id) == 1


async def test_two_hundred_at_once_are_one_receipt_and_one_effect(
    sender: Sender, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    content = sender.body()
    sent = [
        sender.actor.post("webhooks/probe", content=content, headers=PROBE_STATE.signed(content)) for _ in range(200)
    ]
    answers = [answer.status_code for answer in await asyncio.gather(*sent)]
    assert set(answers) <= {204, 503} and 204 in answers, "a copy that finds the service busy is sent again"
    stored = await receipt_of(admin_connection, sender.event_id)
    assert stored["status"] == "processed"
    assert await effects(admin_connection, tenant_id) == 1
    assert await told(admin_connection, stored["id"]) == [*ARRIVAL, "webhook_receipt.processed"]
    assert await bodies(admin_connection, stored["id"]) == []


async def test_same_event_id_of_two_providers_is_two_events(
    sender: Sender, runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    """A provider is what its declaration says: no list of names stands in the code or in the database."""
    body = sender.body()
    for name in ("probe", "another_probe"):
        other = dataclasses.replace(PROBE, name=name)
        await take(runtime, other, PROBE_STATE, Delivery(body, PROBE_STATE.signed(body)))
    found = await admin_connection.fetch("SELECT provider FROM webhook_receipts WHERE event_id = $1", sender.event_id)
    assert {row["provider"] for row in found} == {"probe", "another_probe"}
    assert await effects(admin_connection, tenant_id) == 2


@pytest.mark.parametrize("attack", ["unsigned", "forged", "altered", "stale", "from the future"])
async def test_what_is_not_genuine_leaves_nothing(
    sender: Sender, tenant_id: TenantId, admin_connection: asyncpg.Connection, attack: str
) -> None:
    body = sender.body()
    genuine = PROBE_STATE.signed(body)
    headers = {
        "unsigned": {"content-type": "application/json"},
        "forged": webhooks.Probe(b"another secret").signed(body),
        "altered": genuine,
        "stale": PROBE_STATE.signed(body, at=time.time() - 400),
        "from the future": PROBE_STATE.signed(body, at=time.time() + 400),
    }[attack]
    before = await checksum(admin_connection, tenant_id)
    audited = await admin_connection.fetchval("SELECT count(*) FROM audit_events")
    sent = body + b" " if attack == "altered" else body
    expect_refusal(await sender.actor.post("webhooks/probe", content=sent, headers=headers), 403, "FORBIDDEN")
    found = await admin_connection.fetch("SELECT FROM webhook_receipts WHERE event_id = $1", sender.event_id)
    assert found == []
    assert await checksum(admin_connection, tenant_id) == before
    assert await admin_connection.fetchval("SELECT count(*) FROM audit_events") == audited


async def test_a_genuine_message_that_is_no_event_leaves_nothing(
    sender: Sender, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    before = await admin_connection.fetchval("SELECT count(*) FROM webhook_receipts")
    await sender.post(body=sender.body(id=None))
    assert await admin_connection.fetchval("SELECT count(*) FROM webhook_receipts") == before


@pytest.fixture
def process_environment(settings: Settings) -> dict[str, str]:
    secrets = ("database_url", "system_database_url", "redis_url")
    values = {name.upper(): getattr(settings, name).get_secret_value() for name in secrets}
    plain = ("environment", "data_dir", "password_rounds")
    values |= {name.upper(): str(getattr(settings, name)) for name in plain}
    return {"PATH": os.environ["PATH"]} | values


async def test_a_killed_process_leaves_its_event_to_the_job(
    sender: Sender,
    runtime: Runtime,
    tenant_id: TenantId,
    process_environment: dict[str, str],
    admin_connection: asyncpg.Connection,
) -> None:
    """SIGKILL between the receipt and the effect's commit; the provider never sends again."""
    command = [sys.executable, "-m", "tests.core.webhook_process", sender.body().decode()]
    process = await asyncio.create_subprocess_exec(*command, env=process_environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 120) == b"in effect\n"
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    assert process.returncode == -signal.SIGKILL
    stored = await receipt_of(admin_connection, sender.event_id)
    assert (stored["status"], stored["tenant_id"]) == ("received", tenant_id)
    [kept] = await bodies(admin_connection, stored["id"])
    assert (kept["body"], kept["attempts"]) == (sender.body(), 0)
    assert await effects(admin_connection, tenant_id) == 0
    await finish_due(DECLARED, runtime)
    assert await effects(admin_connection, tenant_id) == 0, "not due yet"

    async def finished() -> bool:
        """The server may not have noticed the death yet: until then the receipt is held."""
        due = "UPDATE webhook_bodies SET next_attempt_at = now() WHERE receipt_id = $1"
        await admin_connection.execute(due, stored["id"])
        await finish_due(DECLARED, runtime)
        status = (await receipt_of(admin_connection, sender.event_id))["status"]
        return bool(status == "processed")

    await expect_eventually(finished)
    assert await effects(admin_connection, tenant_id) == 1
    await finish_due(DECLARED, runtime)
    await sender.post()
    assert await effects(admin_connection, tenant_id) == 1
    assert await told(admin_connection, stored["id"]) == [*ARRIVAL, "webhook_receipt.processed"]


async def test_a_receipt_whose_process_died_before_the_tenant_was_found_is_finished(
    sender: Sender, runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    async with runtime.system_unit_of_work() as system:
        await receive(system, PROBE.name, sender.event_id, sender.body(), None, utcnow())
    await make_due(admin_connection, sender.event_id)
    await finish_due(DECLARED, runtime)
    stored = await receipt_of(admin_connection, sender.event_id)
    assert (stored["status"], stored["tenant_id"]) == ("processed", tenant_id)
    assert await effects(admin_connection, tenant_id) == 1


async def test_a_receipt_that_was_not_committed_is_received_again(
    sender: Sender, runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with runtime.system_unit_of_work() as system:
            lost = await receive(system, PROBE.name, sender.event_id, sender.body(), None, utcnow())
            raise ZeroDivisionError
    await sender.post()
    stored = await receipt_of(admin_connection, sender.event_id)
    assert lost is not None and stored["id"] != lost.id and stored["status"] == "processed"


async def test_a_failing_effect_is_recorded_shown_and_replayed(
    sender: Sender, runtime: Runtime, tenant_id: TenantId, admin: Actor, admin_connection: asyncpg.Connection
) -> None:
    sender.fails(NotFound(f"no invoice of {CANARY}"))
    await sender.post()
    assert await effects(admin_connection, tenant_id) == 0
    [shown] = (await admin.expect(200, "GET", "webhooks/receipts?status=failed"))["items"]
    assert (shown["event_id"], shown["failure"], shown["allowed_actions"]) == (
        sender.event_id,
        "NOT_FOUND",
        ["replay"],
    )
    assert "body" not in shown and CANARY not in str(shown)
    await sender.post()
    await finish_due(DECLARED, runtime)
    assert await effects(admin_connection, tenant_id) == 0, "sent again, or found by the job: it is not due"
    assert len(await bodies(admin_connection, shown["id"])) == 1, "kept for the replay"

    path = f"webhooks/receipts/{shown['id']}/transitions"
    answer = await admin.expect(200, "POST", path, json={"action": "replay", "version": shown["version"]})
    assert (answer["status"], answer["failure"], answer["version"]) == ("received", None, shown["version"] + 1)
    await finish_due(DECLARED, runtime)
    await finish_due(DECLARED, runtime)
    stored = await receipt_of(admin_connection, sender.event_id)
    assert (stored["status"], stored["failure"]) == ("processed", None)
    assert await effects(admin_connection, tenant_id) == 1
    assert await bodies(admin_connection, stored["id"]) == []
    events = await audit_of(admin_connection, stored["id"])
    assert [event["action"] for event in events] == [
        *ARRIVAL,
        "webhook_receipt.failed",
        "webhook_receipt.replayed",
        "webhook_receipt.processed",
    ]
    assert [event["actor_user_id"] is not None for event in events] == [False, False, False, True, False]
    assert CANARY not in str(events)


async def test_a_failure_that_may_pass_is_answered_503_and_cured_by_the_next_delivery(
    sender: Sender, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    sender.fails(ConnectionResetError(CANARY), ServiceUnavailable(CANARY))
    for _ in range(2):
        expect_refusal(await sender.post(503), 503, "SERVICE_UNAVAILABLE")
        stored = await receipt_of(admin_connection, sender.event_id)
        assert (stored["status"], stored["failure"]) == ("received", None)
        assert await effects(admin_connection, tenant_id) == 0
    await sender.post()
    assert (await receipt_of(admin_connection, sender.event_id))["status"] == "processed"
    assert await effects(admin_connection, tenant_id) == 1


async def test_the_job_tries_later_and_later_and_gives_up_in_the_end(
    sender: Sender, runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    sender.fails(*(ConnectionResetError() for _ in range(MAX_ATTEMPTS + 1)))
    await sender.post(503)
    stored = await receipt_of(admin_connection, sender.event_id)
    waits = []
    for _ in range(MAX_ATTEMPTS):
        assert (await receipt_of(admin_connection, sender.event_id))["status"] == "received"
        await make_due(admin_connection, sender.event_id)
        await finish_due(DECLARED, runtime)
        [kept] = await bodies(admin_connection, stored["id"])
        waits.append(round((kept["next_attempt_at"] - utcnow()).total_seconds() / 60))
    assert waits[:7] == [1, 2, 4, 8, 16, 32, 60] and set(waits[7:]) == {60}
    stored = await receipt_of(admin_connection, sender.event_id)
    assert (stored["status"], stored["failure"]) == ("failed", "SERVICE_UNAVAILABLE")
    assert await effects(admin_connection, tenant_id) == 0


async def test_one_that_cannot_be_finished_does_not_keep_the_others_waiting(
    sender: Sender, runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    unknown = f"evt_{uuid.uuid4().hex}"
    async with runtime.system_unit_of_work() as system:
        await receive(system, "not_declared_any_more", unknown, sender.body(id=unknown), tenant_id, utcnow())
        await receive(system, PROBE.name, sender.event_id, sender.body(), tenant_id, utcnow())
    await make_due(admin_connection, unknown)
    await make_due(admin_connection, sender.event_id)
    await finish_due(DECLARED, runtime)
    assert (await receipt_of(admin_connection, unknown))["status"] == "received"
    assert (await receipt_of(admin_connection, sender.event_id))["status"] == "processed"


async def test_tries_at_once_of_one_receipt_are_one_effect(
    sender: Sender, runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    """The job, a second delivery and the operator may meet."""
    async with runtime.system_unit_of_work() as system:
        pending = await receive(system, PROBE.name, sender.event_id, sender.body(), tenant_id, utcnow())
    assert pending is not None
    await asyncio.gather(*(settle(runtime, PROBE, pending) for _ in range(8)))
    await settle(runtime, PROBE, pending)
    assert PROBE_STATE.calls[sender.event_id] == 1, "not even tried twice and undone"
    assert (await receipt_of(admin_connection, sender.event_id))["status"] == "processed"
    assert await effects(admin_connection, tenant_id) == 1


async def found_later(owner: ConnectionSource, slug: str) -> TenantId:
    tenant_id = TenantId(new_id())
    async with UnitOfWork(owner, Principal.system(tenant_id), KEYS) as uow:
        await uow.create(Tenant(id=tenant_id, tenant_id=tenant_id, **profile(slug)), TenantAction.PROVISIONED)
    return tenant_id


@pytest.fixture
def early(sender: Sender) -> Sender:
    """Sends an event of an agency that is not known yet."""
    return Sender(sender.actor, f"k-{uuid.uuid4().hex[:16]}")


async def test_an_event_waits_for_its_tenant(
    early: Sender,
    runtime: Runtime,
    tenant_id: TenantId,
    owner: ConnectionSource,
    admin: Actor,
    admin_connection: asyncpg.Connection,
) -> None:
    await early.post()
    await early.post()
    stored = await receipt_of(admin_connection, early.event_id)
    assert (stored["tenant_id"], stored["status"], stored["version"]) == (None, "received", 1)
    assert (await admin.expect(200, "GET", "webhooks/receipts"))["items"] == [], "nobody's yet"
    async with runtime.unit_of_work(principal_of(tenant_id, Role.ADMIN)) as uow:
        assert await ReceiptRepository(uow).find(tenant_id, stored["id"]) is None
    await make_due(admin_connection, early.event_id)
    await finish_due(DECLARED, runtime)
    assert (await receipt_of(admin_connection, early.event_id))["status"] == "received"
    assert await told(admin_connection, stored["id"]) == []

    found = await found_later(owner, early.agency)
    await make_due(admin_connection, early.event_id)
    await finish_due(DECLARED, runtime)
    assert (await receipt_of(admin_connection, early.event_id))["status"] == "processed"
    assert await effects(admin_connection, found) == 1
    events = await audit_of(admin_connection, stored["id"])
    assert {event["tenant_id"] for event in events} == {found}
    assert [event["action"] for event in events] == [*ARRIVAL, "webhook_receipt.processed"]
    assert events[0]["metadata_json"] == {"received_at": stored["created_at"].isoformat()}


async def test_attempts_to_find_a_tenant_are_not_counted_against_the_effect(
    early: Sender, runtime: Runtime, owner: ConnectionSource, admin_connection: asyncpg.Connection
) -> None:
    await early.post()
    stored = await receipt_of(admin_connection, early.event_id)
    await admin_connection.execute("UPDATE webhook_bodies SET attempts = 99 WHERE receipt_id = $1", stored["id"])
    early.fails(ConnectionResetError())
    await found_later(owner, early.agency)
    await make_due(admin_connection, early.event_id)
    await finish_due(DECLARED, runtime)
    assert (await receipt_of(admin_connection, early.event_id))["status"] == "received", "it may pass"
    await make_due(admin_connection, early.event_id)
    await finish_due(DECLARED, runtime)
    assert (await receipt_of(admin_connection, early.event_id))["status"] == "processed"


async def unclaimed_metric(actor: Actor) -> tuple[float, float]:
    lines = (await actor.get("/metrics")).text.splitlines()
    values = {name: float(value) for name, _, value in (line.partition(" ") for line in lines if line[0] != "#")}
    return values["fusionems_webhooks_unclaimed"], values["fusionems_webhooks_unclaimed_oldest_seconds"]


async def test_what_has_no_tenant_is_raised_to_the_operator(
    early: Sender, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    before, _ = await unclaimed_metric(early.actor)
    await early.post()
    assert (await unclaimed_metric(early.actor))[0] == before + 1
    await admin_connection.execute(
        "UPDATE webhook_receipts SET created_at = now() - $2::interval WHERE event_id = $1",
        early.event_id,
        UNCLAIMED_AGE,
    )
    assert (await unclaimed_metric(early.actor))[1] >= UNCLAIMED_AGE.total_seconds()
    await make_due(admin_connection, early.event_id)
    await finish_due(DECLARED, runtime)
    stored = await receipt_of(admin_connection, early.event_id)
    assert stored["status"] == "received"
    [kept] = await bodies(admin_connection, stored["id"])
    assert kept["next_attempt_at"] is None, "the operator's now"
    listed = {row["id"]: row for row in await Receipts(runtime, DECLARED).list()}
    assert listed[stored["id"]]["next_attempt_at"] is None
    assert CANARY not in str(listed)


async def test_operator_gives_an_event_to_an_agency(
    early: Sender, runtime: Runtime, tenant_id: TenantId, sender: Sender, admin_connection: asyncpg.Connection
) -> None:
    await early.post()
    stored = await receipt_of(admin_connection, early.event_id)
    operator = Receipts(runtime, DECLARED)
    with pytest.raises(ReceiptRefused):
        await operator.assign(stored["id"], "no-such-agency")
    assert (await receipt_of(admin_connection, early.event_id))["tenant_id"] is None
    report = await operator.assign(stored["id"], sender.agency)
    assert (report["status"], report["failure"]) == ("processed", None)
    assert await effects(admin_connection, tenant_id) == 1
    events = await audit_of(admin_connection, stored["id"])
    assert [event["action"] for event in events] == [*ARRIVAL, "webhook_receipt.processed"]
    assert events[1]["metadata_json"] == {"by": "operator"}
    for refused in (operator.assign(stored["id"], sender.agency), operator.ignore(stored["id"], "too late")):
        with pytest.raises(ReceiptRefused):
            await refused
    assert (await receipt_of(admin_connection, early.event_id))["status"] == "processed"
    assert await effects(admin_connection, tenant_id) == 1


async def test_operator_ignores_an_event(
    early: Sender, settings: Settings, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    await early.post()
    stored = await receipt_of(admin_connection, early.event_id)
    with pytest.raises(ReceiptRefused):
        await operate(settings, ["ignore", str(stored["id"]), "x" * 501])
    assert str(stored["id"]) in [str(row["id"]) for row in await operate(settings, ["list"])]
    await operate(settings, ["ignore", str(stored["id"]), "of a test account"])
    stored = await receipt_of(admin_connection, early.event_id)
    assert (stored["status"], stored["reason"], stored["version"]) == ("ignored", "of a test account", 2)
    assert await bodies(admin_connection, stored["id"]) == []
    assert str(stored["id"]) not in [str(row["id"]) for row in await operate(settings, ["list"])]
    await early.post()
    assert (await receipt_of(admin_connection, early.event_id))["version"] == 2


@pytest.mark.parametrize("arguments", [[], ["list", "more"], ["assign", "x", "y"], ["ignore", "x", "y"]], ids=range(4))
async def test_operator_is_told_how_to_ask(settings: Settings, arguments: list[str]) -> None:
    with pytest.raises(ReceiptRefused):
        await operate(settings, arguments)


async def test_an_event_of_no_interest_is_ignored(
    sender: Sender, early: Sender, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    for one_of_them in (sender, early):
        await one_of_them.post(body=one_of_them.body(kind="greeting"))
        stored = await receipt_of(admin_connection, one_of_them.event_id)
        assert stored["status"] == "ignored"
        assert await bodies(admin_connection, stored["id"]) == []
    assert await effects(admin_connection, tenant_id) == 0
    stored = await receipt_of(admin_connection, sender.event_id)
    assert await told(admin_connection, stored["id"]) == [*ARRIVAL, "webhook_receipt.ignored"]
    assert (await receipt_of(admin_connection, early.event_id))["reason"] == "of no interest"


async def test_a_provider_that_shares_its_source_stores_only_what_is_ours(
    sender: Sender, early: Sender, runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    shared = dataclasses.replace(PROBE, keeps_unclaimed=False)
    for one_of_them in (early, sender):
        body = one_of_them.body()
        await take(runtime, shared, PROBE_STATE, Delivery(body, PROBE_STATE.signed(body)))
    found = await admin_connection.fetch("SELECT FROM webhook_receipts WHERE event_id = $1", early.event_id)
    assert found == []
    stored = await receipt_of(admin_connection, sender.event_id)
    assert (stored["status"], stored["version"]) == ("processed", 2)
    assert await told(admin_connection, stored["id"]) == ["webhook_receipt.received", "webhook_receipt.processed"]


async def test_an_assigned_receipt_is_never_given_to_another_tenant(
    sender: Sender,
    runtime: Runtime,
    tenant_id: TenantId,
    new_tenant: Callable[[], Awaitable[TenantId]],
    admin_connection: asyncpg.Connection,
) -> None:
    other = await new_tenant()
    async with runtime.system_unit_of_work() as system:
        pending = await receive(system, PROBE.name, sender.event_id, sender.body(), None, utcnow())
        assert pending is not None
        assert await assign(system, pending, tenant_id, utcnow(), by="provider") == tenant_id
        assert await assign(system, pending, other, utcnow(), by="provider") == tenant_id
    stored = await receipt_of(admin_connection, sender.event_id)
    assert stored["tenant_id"] == tenant_id
    assert await told(admin_connection, stored["id"]) == ARRIVAL
    async with runtime.unit_of_work(Principal.system(other)) as uow:
        assert await ReceiptRepository(uow).find(other, stored["id"]) is None


async def failed_receipt(sender: Sender, connection: asyncpg.Connection) -> Any:
    sender.fails(NotFound())
    await sender.post()
    return await receipt_of(connection, sender.event_id)


@pytest.mark.parametrize("role", [Role.EMS, Role.BILLING, Role.FOUNDER])
async def test_receipts_are_the_administrators(
    sender: Sender,
    tenant_id: TenantId,
    signed_in: Callable[[TenantId, Role], Actor],
    admin_connection: asyncpg.Connection,
    role: Role,
) -> None:
    stored = await failed_receipt(sender, admin_connection)
    actor = signed_in(tenant_id, role)
    expect_refusal(await actor.get("webhooks/receipts"), 403, "FORBIDDEN")
    body = {"action": "replay", "version": stored["version"]}
    expect_refusal(await actor.post(f"webhooks/receipts/{stored['id']}/transitions", json=body), 403, "FORBIDDEN")
    assert await receipt_of(admin_connection, sender.event_id) == stored


async def test_a_replay_is_refused_to_strangers_to_the_stale_and_when_it_is_done(
    sender: Sender,
    admin: Actor,
    signed_in: Callable[[TenantId, Role], Actor],
    new_tenant: Callable[[], Awaitable[TenantId]],
    admin_connection: asyncpg.Connection,
) -> None:
    stored = await failed_receipt(sender, admin_connection)
    path = f"webhooks/receipts/{stored['id']}/transitions"
    right = {"action": "replay", "version": stored["version"]}
    stranger = signed_in(await new_tenant(), Role.ADMIN)
    expect_refusal(await stranger.post(path, json=right), 404, "NOT_FOUND")
    expect_refusal(await admin.post(path, json={**right, "version": stored["version"] - 1}), 409, "CONFLICT")
    for action in ("process", "fail", "ignore"):
        expect_refusal(await admin.post(path, json={**right, "action": action}), 422, "VALIDATION_FAILED")
    assert await receipt_of(admin_connection, sender.event_id) == stored
    other = Sender(sender.actor, sender.agency)
    await other.post()
    done = await receipt_of(admin_connection, other.event_id)
    path = f"webhooks/receipts/{done['id']}/transitions"
    body = {"action": "replay", "version": done["version"]}
    expect_refusal(await admin.post(path, json=body), 409, "INVALID_TRANSITION")
    assert await receipt_of(admin_connection, other.event_id) == done


async def test_receipts_are_listed_by_status_and_provider_in_pages(
    sender: Sender,
    runtime: Runtime,
    admin: Actor,
    signed_in: Callable[[TenantId, Role], Actor],
    new_tenant: Callable[[], Awaitable[TenantId]],
    admin_connection: asyncpg.Connection,
) -> None:
    failed = await failed_receipt(sender, admin_connection)
    others = [Sender(sender.actor, sender.agency) for _ in range(2)]
    for other in others:
        await other.post()

    async def listed(query: str) -> list[str]:
        page = await admin.expect(200, "GET", f"webhooks/receipts?{query}")
        return [item["event_id"] for item in page["items"]]

    assert await listed("") == [others[1].event_id, others[0].event_id, sender.event_id]
    assert await listed("status=failed") == [failed["event_id"]]
    assert await listed("provider=ses") == []
    assert len(await listed("provider=probe&status=processed")) == 2
    page = await admin.expect(200, "GET", "webhooks/receipts?limit=2&sort=created_at")
    assert [item["event_id"] for item in page["items"]] == [sender.event_id, others[0].event_id]
    assert await listed(f"limit=2&sort=created_at&cursor={page['next_cursor']}") == [others[1].event_id]
    stranger = signed_in(await new_tenant(), Role.ADMIN)
    assert (await stranger.expect(200, "GET", "webhooks/receipts"))["items"] == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT body FROM webhook_bodies",
        "SELECT count(*) FROM webhook_bodies",
        "INSERT INTO webhook_bodies (receipt_id, body) VALUES (gen_random_uuid(), '')",
        "UPDATE webhook_bodies SET body = ''",
        "DELETE FROM webhook_bodies",
        "SELECT fusionems_webhook_body_follows()",
    ],
    ids=range(6),
)
async def test_app_role_cannot_touch_the_bodies(
    sender: Sender, tenant_id: TenantId, admin_connection: asyncpg.Connection, statement: str
) -> None:
    stored = await failed_receipt(sender, admin_connection)
    before = await bodies(admin_connection, stored["id"])
    assert len(before) == 1
    async with admin_connection.transaction():
        await admin_connection.execute("SET LOCAL ROLE fusionems_app")
        await admin_connection.execute("SELECT set_config('app.tenant_id', $1, true)", str(tenant_id))
        assert await admin_connection.fetchval("SELECT count(*) FROM webhook_receipts") == 1, "the receipt it sees"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with admin_connection.transaction():
                await admin_connection.execute(statement)
    assert await bodies(admin_connection, stored["id"]) == before


async def test_roles_of_the_service_have_what_they_need_and_no_more(admin_connection: asyncpg.Connection) -> None:
    """Only the system stores what came from outside; it adds to the audit log and cannot read it."""

    async def may(role: str, table: str, privilege: str) -> bool:
        granted = "SELECT has_table_privilege($1, $2, $3)"
        return bool(await admin_connection.fetchval(granted, f"fusionems_{role}", table, privilege))

    assert not await may("app", "webhook_receipts", "INSERT")
    assert await may("app", "webhook_receipts", "UPDATE")
    assert await may("system", "audit_events", "INSERT")
    for privilege in ("SELECT", "UPDATE", "DELETE"):
        assert not await may("system", "audit_events", privilege)
    assert not await may("system", "webhook_bodies", "DELETE")


async def test_find_pending_knows_only_what_is_received(
    sender: Sender, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    await sender.post()
    stored = await receipt_of(admin_connection, sender.event_id)
    async with runtime.system_unit_of_work() as system:
        assert await find_pending(system, stored["id"]) is None


def test_every_provider_is_declared_once_and_finished_by_the_schedule() -> None:
    names = [provider.name for provider in registry.WEBHOOKS]
    assert len(names) == len(set(names)) and "ses" in names
    assert all(re.fullmatch(r"[a-z0-9_]{1,40}", name) for name in names), "as the list can be filtered by"
    assert all(isinstance(provider, WebhookProvider) for provider in registry.WEBHOOKS)
    assert finishing(registry.WEBHOOKS).name in {schedule.name for schedule in registry.SCHEDULES}
