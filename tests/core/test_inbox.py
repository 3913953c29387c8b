"""Webhooks: stored once per provider's event, effective once, whatever is sent twice or dies in between."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from app.core.errors import Forbidden, InvalidTransition, NotFound
from app.core.ids import TenantId, new_id
from app.core.inbox.lifecycle import ReceiptAction, ReceiptStatus, receipt_lifecycle
from app.core.inbox.models import Provider
from app.core.inbox.service import ReceiptRepository, assign, mark_failed, process, receive
from app.core.pagination import Paging
from app.core.permissions import Principal, Role
from app.core.runtime import Runtime
from tests.core.charts import Chart, ChartAction
from tests.core.evidence import audit_of, one
from tests.core.principals import principal_of

BODY = b'{"id": "evt_1", "patient": "CANARYquill7731"}'


@pytest.fixture
def event_id() -> str:
    return f"evt_{uuid.uuid4().hex}"


async def take(runtime: Runtime, event_id: str, tenant_id: TenantId | None = None) -> uuid.UUID:
    """What a webhook route does first: the receipt, and whose it is, in the system's own transaction."""
    async with runtime.system_unit_of_work() as system:
        receipt_id = await receive(system, Provider.STRIPE, event_id, BODY)
        if tenant_id is not None:
            await assign(system, receipt_id, tenant_id)
    return receipt_id


async def act(runtime: Runtime, tenant_id: TenantId, receipt_id: uuid.UUID, number: str, *, fail: bool = False) -> bool:
    """Then its effect, in the tenant's: one chart per event."""
    async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:

        async def effect() -> None:
            made = Chart(tenant_id=tenant_id, incident_id=new_id(), number=number)
            await uow.create(made, ChartAction.OPENED)
            if fail:
                raise ConnectionResetError

        return await process(uow, receipt_id, effect)


async def effects(admin: asyncpg.Connection, tenant_id: uuid.UUID) -> int:
    count: int = await admin.fetchval("SELECT count(*) FROM probe.charts WHERE tenant_id = $1", tenant_id)
    return count


async def receipt_of(admin: asyncpg.Connection, event_id: str) -> Any:
    return await one(admin, "SELECT * FROM webhook_receipts WHERE event_id = $1", event_id)


async def test_event_is_received_assigned_and_processed(
    charts: None, runtime: Runtime, tenant_id: TenantId, event_id: str, admin_connection: asyncpg.Connection
) -> None:
    receipt_id = await take(runtime, event_id)
    stored = await receipt_of(admin_connection, event_id)
    assert (stored["id"], stored["tenant_id"], stored["status"]) == (receipt_id, None, "received")
    assert stored["raw_hash"] == hashlib.sha256(BODY).hexdigest()
    assert "CANARY" not in str(dict(stored))
    assert await take(runtime, event_id, tenant_id) == receipt_id
    assert await act(runtime, tenant_id, receipt_id, "effect") is True
    stored = await receipt_of(admin_connection, event_id)
    assert (stored["status"], stored["tenant_id"], stored["version"]) == ("processed", tenant_id, 2)
    assert stored["processed_at"] is not None
    [event] = await audit_of(admin_connection, receipt_id)
    assert (event["action"], event["actor_user_id"]) == ("process", None)
    assert event["changed_fields_json"]["status"] == ["received", "processed"]


async def test_replay_of_a_processed_event_does_nothing(
    charts: None, runtime: Runtime, tenant_id: TenantId, event_id: str, admin_connection: asyncpg.Connection
) -> None:
    for expected in (True, False, False):
        receipt_id = await take(runtime, event_id, tenant_id)
        assert await act(runtime, tenant_id, receipt_id, event_id) is expected
    assert await effects(admin_connection, tenant_id) == 1
    assert len(await audit_of(admin_connection, receipt_id)) == 1


async def test_two_hundred_at_once_are_one_receipt_and_one_effect(
    charts: None, runtime: Runtime, tenant_id: TenantId, event_id: str, admin_connection: asyncpg.Connection
) -> None:
    at_a_time = asyncio.Semaphore(16), asyncio.Semaphore(4)  # of the two pools' connections

    async def deliver() -> tuple[uuid.UUID, bool]:
        async with at_a_time[1]:
            receipt_id = await take(runtime, event_id, tenant_id)
        async with at_a_time[0]:
            return receipt_id, await act(runtime, tenant_id, receipt_id, f"effect of {event_id}")

    outcomes = await asyncio.gather(*(deliver() for _ in range(200)))
    assert len({receipt_id for receipt_id, _ in outcomes}) == 1
    assert sum(took for _, took in outcomes) == 1
    assert await effects(admin_connection, tenant_id) == 1
    assert await admin_connection.fetchval("SELECT count(*) FROM webhook_receipts WHERE event_id = $1", event_id) == 1


async def test_same_event_id_of_two_providers_is_two_events(
    runtime: Runtime, event_id: str, admin_connection: asyncpg.Connection
) -> None:
    async with runtime.system_unit_of_work() as system:
        ids = {await receive(system, provider, event_id, BODY) for provider in Provider}
    assert len(ids) == len(Provider)


async def test_crash_after_the_receipt_is_made_good_by_the_next_delivery(
    charts: None, runtime: Runtime, tenant_id: TenantId, event_id: str, admin_connection: asyncpg.Connection
) -> None:
    await take(runtime, event_id)  # and here the process dies
    receipt_id = await take(runtime, event_id, tenant_id)
    assert await act(runtime, tenant_id, receipt_id, "after the crash") is True
    assert await effects(admin_connection, tenant_id) == 1


async def test_receipt_that_was_not_committed_is_received_again(
    runtime: Runtime, event_id: str, admin_connection: asyncpg.Connection
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with runtime.system_unit_of_work() as system:
            lost = await receive(system, Provider.TELNYX, event_id, BODY)
            raise ZeroDivisionError
    async with runtime.system_unit_of_work() as system:
        kept = await receive(system, Provider.TELNYX, event_id, BODY)
    assert kept != lost
    assert (await receipt_of(admin_connection, event_id))["id"] == kept


async def test_effect_that_fails_leaves_neither_effect_nor_mark(
    charts: None, runtime: Runtime, tenant_id: TenantId, event_id: str, admin_connection: asyncpg.Connection
) -> None:
    receipt_id = await take(runtime, event_id, tenant_id)
    with pytest.raises(ConnectionResetError):
        await act(runtime, tenant_id, receipt_id, "half", fail=True)
    assert await effects(admin_connection, tenant_id) == 0
    assert (await receipt_of(admin_connection, event_id))["status"] == "received"
    assert await act(runtime, tenant_id, receipt_id, "whole") is True
    assert await effects(admin_connection, tenant_id) == 1


async def test_failed_event_waits_for_its_replay(
    charts: None, runtime: Runtime, tenant_id: TenantId, event_id: str, admin_connection: asyncpg.Connection
) -> None:
    receipt_id = await take(runtime, event_id, tenant_id)
    async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
        await mark_failed(uow, receipt_id, "INVOICE_NOT_FOUND")
    stored = await receipt_of(admin_connection, event_id)
    assert (stored["status"], stored["failure"]) == ("failed", "INVOICE_NOT_FOUND")
    assert await act(runtime, tenant_id, receipt_id, "too early") is False, "sent again: it is not due"
    await replay(runtime, principal_of(tenant_id, Role.ADMIN), receipt_id)
    assert await act(runtime, tenant_id, receipt_id, "replayed") is True
    assert await effects(admin_connection, tenant_id) == 1
    actions = [event["action"] for event in await audit_of(admin_connection, receipt_id)]
    assert actions == ["fail", "replay", "process"]


async def replay(runtime: Runtime, principal: Principal, receipt_id: uuid.UUID) -> None:
    async with runtime.unit_of_work(principal) as uow:
        receipt = await ReceiptRepository(uow).get_for_update(principal.tenant_id, receipt_id)
        await receipt_lifecycle.fire(uow, receipt, ReceiptAction.REPLAY, None)


@pytest.mark.parametrize("role", [Role.EMS, Role.BILLING, Role.FOUNDER])
async def test_replay_is_the_administrators(
    runtime: Runtime, tenant_id: TenantId, event_id: str, admin_connection: asyncpg.Connection, role: Role
) -> None:
    receipt_id = await take(runtime, event_id, tenant_id)
    async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
        await mark_failed(uow, receipt_id, "X")
    with pytest.raises(Forbidden):
        await replay(runtime, principal_of(tenant_id, role), receipt_id)
    assert (await receipt_of(admin_connection, event_id))["status"] == "failed"


async def test_processed_event_cannot_be_replayed_or_failed(
    charts: None, runtime: Runtime, tenant_id: TenantId, event_id: str, admin_connection: asyncpg.Connection
) -> None:
    receipt_id = await take(runtime, event_id, tenant_id)
    await act(runtime, tenant_id, receipt_id, "done")
    with pytest.raises(InvalidTransition):
        await replay(runtime, principal_of(tenant_id, Role.ADMIN), receipt_id)
    async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
        await mark_failed(uow, receipt_id, "LATE")
    stored = await receipt_of(admin_connection, event_id)
    assert (stored["status"], stored["failure"]) == (ReceiptStatus.PROCESSED, None)


async def test_two_processes_of_one_receipt_take_turns(
    charts: None, runtime: Runtime, tenant_id: TenantId, event_id: str, admin_connection: asyncpg.Connection
) -> None:
    receipt_id = await take(runtime, event_id, tenant_id)
    took = await asyncio.gather(*(act(runtime, tenant_id, receipt_id, f"{number}") for number in range(8)))
    assert sorted(took) == [False] * 7 + [True]
    assert await effects(admin_connection, tenant_id) == 1


async def test_receipt_without_a_tenant_is_nobodys(runtime: Runtime, tenant_id: TenantId, event_id: str) -> None:
    receipt_id = await take(runtime, event_id)
    async with runtime.unit_of_work(principal_of(tenant_id, Role.ADMIN)) as uow:
        receipts = ReceiptRepository(uow)
        assert await receipts.find(tenant_id, receipt_id) is None
        assert (await receipts.list_page(tenant_id, Paging(limit=10))).items == []
        with pytest.raises(NotFound):
            await process(uow, receipt_id, _nothing)


async def _nothing() -> None:
    raise AssertionError("the effect of a receipt that is not there")


async def test_assigned_receipt_is_never_given_to_another_tenant(
    runtime: Runtime,
    tenant_id: TenantId,
    new_tenant: Callable[[], Awaitable[TenantId]],
    event_id: str,
    admin_connection: asyncpg.Connection,
) -> None:
    other = await new_tenant()
    receipt_id = await take(runtime, event_id, tenant_id)
    await take(runtime, event_id, other)
    assert (await receipt_of(admin_connection, event_id))["tenant_id"] == tenant_id
    with pytest.raises(NotFound):
        async with runtime.unit_of_work(Principal.system(other)) as uow:
            await process(uow, receipt_id, _nothing)


async def test_app_role_cannot_make_receipts(
    runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    """Only the system stores what came from outside; the tenant's unit of work only moves it on."""
    assert not await admin_connection.fetchval(
        "SELECT has_table_privilege('fusionems_app', 'webhook_receipts', 'INSERT')"
    )
    assert await admin_connection.fetchval("SELECT has_table_privilege('fusionems_app', 'webhook_receipts', 'UPDATE')")
