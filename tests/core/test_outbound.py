"""Outbound attempts: one holder at a time, once by key after a crash, postponed without being counted; and turns."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from typing import Any

import asyncpg
import pytest

from app import registry
from app.core.clock import utcnow
from app.core.db.uow import UnitOfWork
from app.core.errors import Conflict
from app.core.ids import TenantId
from app.core.jobs.queue import JobRunner, run_job
from app.core.outbound.breaker import BreakerRule, Breakers
from app.core.outbound.failures import CallFailed, CallPostponed, CallRefused, CallUnanswered
from app.core.outbound.kind import Breaking, HeldAttempt, Postpone, Refuse, idempotency_key
from app.core.outbound.outside import Done, call_outside
from app.core.outbound.service import Attempts, job_of, run_attempt, sweep_of
from app.core.outbound.turns import take_turn
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.core.evidence import audit_of, checksum, one
from tests.core.parcels import LEASE, Carrier, Code, Parcel, ParcelKind, create_parcels, parcel_kind, queue_parcel
from tests.core.waiting import expect_eventually
from tests.support.database import TestDatabase

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(scope="session")
async def parcels(charts: None, database: TestDatabase) -> None:
    await create_parcels(database.owner)


@pytest.fixture
def system(parcels: None, tenant_id: TenantId) -> Principal:
    return Principal.system(tenant_id)


@pytest.fixture
def carrier(runtime: Runtime) -> Carrier:
    return Carrier(runtime)


@pytest.fixture
def kind(carrier: Carrier) -> ParcelKind:
    return parcel_kind(carrier)


async def stored(admin: asyncpg.Connection, parcel_id: uuid.UUID) -> Any:
    return await one(admin, "SELECT * FROM probe.parcels WHERE id = $1", parcel_id)


async def state_of(admin: asyncpg.Connection, parcel_id: uuid.UUID) -> tuple[str, int, str | None]:
    row = await stored(admin, parcel_id)
    return row["status"], row["attempts"], row["failure_code"]


async def jobs_of(admin: asyncpg.Connection, kind: ParcelKind) -> list[Any]:
    return list(await admin.fetch("SELECT * FROM pgqueuer WHERE entrypoint = $1 ORDER BY id", kind.name))


async def run_jobs(admin: asyncpg.Connection, runtime: Runtime, kind: ParcelKind) -> list[dt.timedelta]:
    """Runs the waiting attempts as the runner would, those of later too; how long each had to wait."""
    waiting = await jobs_of(admin, kind)
    for row in waiting:
        await admin.execute("DELETE FROM pgqueuer WHERE id = $1", row["id"])
        await run_job(runtime, job_of(kind), row["payload"])
    return [row["execute_after"] - row["created"] for row in waiting]


async def end_lease(admin: asyncpg.Connection, parcel_id: uuid.UUID) -> None:
    await admin.execute("UPDATE probe.parcels SET lease_until = now() - interval '1 s' WHERE id = $1", parcel_id)


async def hold(runtime: Runtime, system: Principal, kind: ParcelKind, parcel_id: uuid.UUID) -> HeldAttempt[str]:
    async with runtime.unit_of_work(system) as uow:
        held = await Attempts(uow, kind).hold(parcel_id)
    assert held is not None
    return held


async def test_an_attempt_succeeds(
    runtime: Runtime, system: Principal, kind: ParcelKind, carrier: Carrier, admin_connection: asyncpg.Connection
) -> None:
    parcel_id = await queue_parcel(runtime, system, kind)
    await run_jobs(admin_connection, runtime, kind)
    row = await stored(admin_connection, parcel_id)
    assert (row["status"], row["attempts"], row["receipt"]) == ("succeeded", 1, "receipt-1")
    assert (row["lease_until"], row["failure_code"]) == (None, None)
    assert carrier.open_transactions == [0]
    actions = [event["action"] for event in await audit_of(admin_connection, parcel_id)]
    assert actions == ["parcel.created", "parcel.started", "parcel.delivered"]
    assert await jobs_of(admin_connection, kind) == []


async def test_many_workers_take_one_attempt_once(
    runtime: Runtime, system: Principal, kind: ParcelKind, carrier: Carrier, admin_connection: asyncpg.Connection
) -> None:
    parcel_id = await queue_parcel(runtime, system, kind)
    await asyncio.gather(*(run_attempt(kind, runtime, system, parcel_id) for _ in range(20)))
    assert carrier.called == [parcel_id]
    assert await state_of(admin_connection, parcel_id) == ("succeeded", 1, None)


async def test_what_may_pass_is_tried_again_and_not_for_ever(
    runtime: Runtime, system: Principal, kind: ParcelKind, carrier: Carrier, admin_connection: asyncpg.Connection
) -> None:
    parcel_id = await queue_parcel(runtime, system, kind)
    carrier.script = [CallPostponed(Code.BUSY) for _ in range(5)]
    delays: list[dt.timedelta] = []
    while await jobs_of(admin_connection, kind):
        delays += await run_jobs(admin_connection, runtime, kind)
    assert await state_of(admin_connection, parcel_id) == ("failed", 3, "BUSY")
    assert [round(delay.total_seconds()) for delay in delays] == [0, 10, 30]
    assert len(carrier.called) == 3


async def test_what_was_refused_is_not_tried_again(
    runtime: Runtime, system: Principal, kind: ParcelKind, carrier: Carrier, admin_connection: asyncpg.Connection
) -> None:
    parcel_id = await queue_parcel(runtime, system, kind)
    carrier.script = [CallRefused(Code.UNWANTED)]
    await run_jobs(admin_connection, runtime, kind)
    assert await state_of(admin_connection, parcel_id) == ("failed", 1, "UNWANTED")
    assert await jobs_of(admin_connection, kind) == []


async def test_without_an_answer_the_next_attempt_waits_as_long_as_a_lease(
    runtime: Runtime, system: Principal, kind: ParcelKind, carrier: Carrier, admin_connection: asyncpg.Connection
) -> None:
    await queue_parcel(runtime, system, kind)
    carrier.script = [CallUnanswered(Code.SILENT)]
    await run_jobs(admin_connection, runtime, kind)
    [job] = await jobs_of(admin_connection, kind)
    assert job["execute_after"] - job["created"] >= LEASE


async def test_a_worker_that_dies_between_call_and_record_delivers_once_by_key(
    runtime: Runtime, system: Principal, kind: ParcelKind, carrier: Carrier, admin_connection: asyncpg.Connection
) -> None:
    parcel_id = await queue_parcel(runtime, system, kind)
    carrier.script = [asyncio.Event()]
    dying = asyncio.create_task(run_attempt(kind, runtime, system, parcel_id))
    await carrier.took.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert await state_of(admin_connection, parcel_id) == ("running", 1, None)

    await run_jobs(admin_connection, runtime, kind)  # the queue gives the dead worker's job to another one
    await sweep_of((kind,)).run(runtime)
    assert len(carrier.called) == 1, "the lease still holds"

    await end_lease(admin_connection, parcel_id)
    await sweep_of((kind,)).run(runtime)
    assert await state_of(admin_connection, parcel_id) == ("queued", 1, "LEASE_EXPIRED")
    await run_jobs(admin_connection, runtime, kind)
    assert await state_of(admin_connection, parcel_id) == ("succeeded", 2, None)
    assert carrier.keys == [idempotency_key(kind.name, parcel_id)] * 2
    assert list(carrier.delivered.values()) == ["receipt-1"]
    assert (await stored(admin_connection, parcel_id))["receipt"] == "receipt-1"


def test_keys_differ_by_kind_entity_and_purpose_only() -> None:
    entity_id = uuid.uuid4()
    assert idempotency_key("payments.charge", entity_id) == f"payments.charge:{entity_id}"
    assert idempotency_key("payments.charge", entity_id, "refund") == f"payments.charge:{entity_id}:refund"
    first, again = (HeldAttempt("a", TenantId(uuid.uuid4()), entity_id, attempt, None, "secret") for attempt in (1, 2))
    assert first.idempotency_key() == again.idempotency_key() != first.idempotency_key("other")
    assert "secret" not in repr(first)


async def test_a_late_first_holder(
    runtime: Runtime, system: Principal, kind: ParcelKind, admin_connection: asyncpg.Connection
) -> None:
    """Its failure concerns nobody any more. Its success does, and the second holder's then changes nothing."""
    parcel_id = await queue_parcel(runtime, system, kind)
    late = await hold(runtime, system, kind, parcel_id)
    await end_lease(admin_connection, parcel_id)
    await sweep_of((kind,)).run(runtime)
    await hold(runtime, system, kind, parcel_id)
    before = await checksum(admin_connection, system.tenant_id)
    async with runtime.unit_of_work(system) as uow:
        await Attempts(uow, kind).failed(late, CallRefused(Code.UNWANTED))
    assert await checksum(admin_connection, system.tenant_id) == before
    async with runtime.unit_of_work(system) as uow:
        await Attempts(uow, kind).succeeded(parcel_id, "late")
    after = await checksum(admin_connection, system.tenant_id)
    async with runtime.unit_of_work(system) as uow:
        await Attempts(uow, kind).succeeded(parcel_id, "second")
    assert await checksum(admin_connection, system.tenant_id) == after
    assert (await stored(admin_connection, parcel_id))["receipt"] == "late"


async def test_success_of_a_holder_whose_entity_is_queued_again_ends_the_attempts(
    runtime: Runtime, system: Principal, kind: ParcelKind, carrier: Carrier, admin_connection: asyncpg.Connection
) -> None:
    parcel_id = await queue_parcel(runtime, system, kind)
    await hold(runtime, system, kind, parcel_id)
    await end_lease(admin_connection, parcel_id)
    await sweep_of((kind,)).run(runtime)
    async with runtime.unit_of_work(system) as uow:
        await Attempts(uow, kind).succeeded(parcel_id, "late")
    await run_jobs(admin_connection, runtime, kind)
    assert carrier.called == []
    assert await state_of(admin_connection, parcel_id) == ("succeeded", 1, None)


async def test_one_that_cannot_be_taken_up_keeps_no_other_waiting(
    runtime: Runtime, system: Principal, carrier: Carrier, admin_connection: asyncpg.Connection
) -> None:
    kind = parcel_kind(carrier)
    broken, good = [await queue_parcel(runtime, system, kind) for _ in range(2)]
    for parcel_id, attempts in ((broken, -(2**31)), (good, 1)):
        await hold(runtime, system, kind, parcel_id)
        await end_lease(admin_connection, parcel_id)
        await admin_connection.execute("UPDATE probe.parcels SET attempts = $2 WHERE id = $1", parcel_id, attempts)
    await admin_connection.execute(
        "ALTER TABLE probe.parcels ADD CONSTRAINT unbroken CHECK (attempts > 0 OR status = 'running') NOT VALID"
    )
    try:
        await sweep_of((kind,)).run(runtime)
    finally:
        await admin_connection.execute("ALTER TABLE probe.parcels DROP CONSTRAINT unbroken")
    assert (await stored(admin_connection, broken))["status"] == "running"
    assert await state_of(admin_connection, good) == ("queued", 1, "LEASE_EXPIRED")


async def test_a_refusal_by_the_budget_is_final_and_calls_nobody(
    runtime: Runtime, system: Principal, carrier: Carrier, admin_connection: asyncpg.Connection
) -> None:
    async def admit(_: UnitOfWork, __: Parcel) -> Refuse:
        return Refuse(Code.NO_BUDGET)

    kind = parcel_kind(carrier, admit=admit)
    parcel_id = await queue_parcel(runtime, system, kind)
    await run_jobs(admin_connection, runtime, kind)
    assert await state_of(admin_connection, parcel_id) == ("failed", 1, "NO_BUDGET")
    assert carrier.called == []


async def test_what_the_budget_postpones_is_run_later_and_not_counted(
    runtime: Runtime, system: Principal, carrier: Carrier, admin_connection: asyncpg.Connection
) -> None:
    """With the real queue: the running job still has its key when the later one is queued."""
    answers: list[Postpone] = []

    async def admit(_: UnitOfWork, parcel: Parcel) -> Postpone | None:
        assert (parcel.attempts, parcel.status) == (0, "queued")
        if answers:
            return None
        answers.append(Postpone(utcnow(), Code.NO_BUDGET))
        return answers[0]

    kind = parcel_kind(carrier, admit=admit)
    parcel_id = await queue_parcel(runtime, system, kind)
    runner = asyncio.create_task(JobRunner(runtime, (job_of(kind),)).run())

    async def succeeded() -> bool:
        return bool((await stored(admin_connection, parcel_id))["status"] == "succeeded")

    try:
        await expect_eventually(succeeded)
    finally:
        runner.cancel()
        await asyncio.gather(runner, return_exceptions=True)
    assert len(answers) == 1
    assert await state_of(admin_connection, parcel_id) == ("succeeded", 1, None)


async def test_a_postponed_one_waits_with_its_reason(
    runtime: Runtime, system: Principal, carrier: Carrier, admin_connection: asyncpg.Connection
) -> None:
    until = utcnow() + 5 * MINUTE

    async def admit(_: UnitOfWork, __: Parcel) -> Postpone:
        return Postpone(until, Code.NO_BUDGET)

    kind = parcel_kind(carrier, admit=admit)
    parcel_id = await queue_parcel(runtime, system, kind)
    await run_jobs(admin_connection, runtime, kind)
    assert await state_of(admin_connection, parcel_id) == ("queued", 0, "NO_BUDGET")
    assert (await stored(admin_connection, parcel_id))["lease_until"] == until + LEASE
    [job] = await jobs_of(admin_connection, kind)
    assert job["execute_after"] - job["created"] > 4 * MINUTE
    assert carrier.called == []


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_breaker_opens_lets_one_try_and_closes() -> None:
    clock, rule = Clock(), BreakerRule(failures=2, pause=MINUTE)
    breakers = Breakers(clock)
    breakers.failed("a", rule)
    assert breakers.time_to_wait("a", rule) is None
    breakers.succeeded("a")
    breakers.failed("a", rule)
    assert breakers.time_to_wait("a", rule) is None, "in a row"
    breakers.failed("a", rule)
    clock.now = 20
    assert breakers.time_to_wait("a", rule) == dt.timedelta(seconds=40)
    assert breakers.time_to_wait("b", rule) is None
    clock.now = 60
    assert breakers.time_to_wait("a", rule) is None
    assert breakers.time_to_wait("a", rule) == MINUTE, "one tries, the others wait for it"
    breakers.failed("a", rule)
    assert breakers.time_to_wait("a", rule) == MINUTE
    clock.now = 120
    assert breakers.time_to_wait("a", rule) is None
    breakers.succeeded("a")
    assert breakers.time_to_wait("a", rule) is None


async def test_while_the_breaker_is_open_nobody_is_called_and_nothing_counted(
    runtime: Runtime, system: Principal, carrier: Carrier, admin_connection: asyncpg.Connection
) -> None:
    clock = Clock()
    runtime.breakers = Breakers(clock)
    rule = BreakerRule(failures=2, pause=MINUTE)
    kind = parcel_kind(carrier, breaking=Breaking(rule, Code.OUTAGE, lambda parcel: str(parcel.tenant_id)))
    carrier.script = [CallPostponed(Code.BUSY), CallPostponed(Code.BUSY)]
    failing = [await queue_parcel(runtime, system, kind) for _ in range(2)]
    for parcel_id in failing:
        await run_attempt(kind, runtime, system, parcel_id)
    later = await queue_parcel(runtime, system, kind)
    await run_attempt(kind, runtime, system, later)
    assert await state_of(admin_connection, later) == ("queued", 0, "OUTAGE")
    assert carrier.called == failing
    clock.now = 60
    await run_attempt(kind, runtime, system, later)
    assert await state_of(admin_connection, later) == ("succeeded", 1, None)
    await run_attempt(kind, runtime, system, failing[0])
    assert await state_of(admin_connection, failing[0]) == ("succeeded", 2, None), "closed again"


async def test_a_refusal_of_one_item_does_not_open_the_breaker(
    runtime: Runtime, system: Principal, carrier: Carrier, admin_connection: asyncpg.Connection
) -> None:
    rule = BreakerRule(failures=1, pause=MINUTE)
    kind = parcel_kind(carrier, breaking=Breaking(rule, Code.OUTAGE, lambda parcel: "all"))
    carrier.script = [CallRefused(Code.UNWANTED)]
    refused, next_one = [await queue_parcel(runtime, system, kind) for _ in range(2)]
    for parcel_id in (refused, next_one):
        await run_attempt(kind, runtime, system, parcel_id)
    assert await state_of(admin_connection, next_one) == ("succeeded", 1, None)


def test_from_the_list_of_kinds_come_the_jobs_and_one_sweep(carrier: Carrier) -> None:
    before = registry.JOBS, registry.SCHEDULES
    parcel_kind(carrier)
    assert before == (registry.JOBS, registry.SCHEDULES)
    names = [job.name for job in registry.JOBS]
    assert [names.count(kind.name) for kind in registry.OUTBOUND] == [1] * len(registry.OUTBOUND)
    sweeps = [schedule for schedule in registry.SCHEDULES if schedule.name == "outbound.take_up_expired"]
    assert len(sweeps) == 1


# Read, call out, record.


async def _nothing(uow: UnitOfWork) -> str:
    await take_turn(uow, "probe", "read")  # opens the transaction
    return "read"


async def _fail_to_be_called(_: Any, *__: Any) -> Any:
    raise AssertionError("called")


@pytest.mark.parametrize("opened", [True, False], ids=["open", "entered"])
async def test_inside_a_unit_of_work_nothing_is_called(runtime: Runtime, system: Principal, opened: bool) -> None:
    async with runtime.unit_of_work(system) as uow:
        if opened:
            await take_turn(uow, "probe", "outer")
        with pytest.raises(AssertionError, match="inside a unit of work"):
            await call_outside(
                lambda: runtime.unit_of_work(system), _fail_to_be_called, _fail_to_be_called, _fail_to_be_called
            )


async def test_the_call_has_no_transaction_and_another_tasks_does_not_count(
    runtime: Runtime, system: Principal
) -> None:
    async def call(found: str) -> int:
        assert found == "read"
        return runtime.database.checked_out()

    async def record(_: UnitOfWork, __: str, open_then: int) -> int:
        return open_then

    def work() -> Any:
        return call_outside(lambda: runtime.unit_of_work(system), _nothing, call, record, _fail_to_be_called)

    assert await work() == 0
    async with runtime.unit_of_work(system) as uow:
        await take_turn(uow, "probe", "outer")
        assert await asyncio.create_task(work()) == 1
    assert await work() == 0


async def test_what_is_done_already_is_not_called(runtime: Runtime, system: Principal) -> None:
    async def read(_: UnitOfWork) -> str | Done[int]:
        return Done(7)

    units = lambda: runtime.unit_of_work(system)  # noqa: E731
    assert await call_outside(units, read, _fail_to_be_called, _fail_to_be_called) == 7


@pytest.mark.parametrize(("error", "undone"), [(Conflict("stale"), ["result"]), (ConnectionResetError(), [])])
async def test_a_refused_record_is_undone_and_a_doubtful_one_is_not(
    runtime: Runtime, system: Principal, error: Exception, undone: list[str]
) -> None:
    seen: list[str] = []

    async def call(_: str) -> str:
        return "result"

    async def record(_: UnitOfWork, __: str, ___: str) -> None:
        raise error

    async def undo(_: str, result: str) -> None:
        assert runtime.database.checked_out() == 0
        seen.append(result)

    with pytest.raises(type(error)):
        await call_outside(lambda: runtime.unit_of_work(system), _nothing, call, record, undo)
    assert seen == undone


def test_failures_say_a_code_and_nothing_else() -> None:
    assert str(CallFailed(Code.BUSY)) == "BUSY"
    assert not CallPostponed(Code.BUSY).unanswered
    assert CallUnanswered(Code.SILENT).unanswered


async def test_turns_are_taken_one_after_the_other(runtime: Runtime, system: Principal) -> None:
    order: list[str] = []
    entered = asyncio.Event()

    async def first() -> None:
        async with runtime.unit_of_work(system) as uow:
            await take_turn(uow, "probe", "thing")
            entered.set()
            await take_turn(uow, "probe", "thing")  # its own turn again
            async with runtime.unit_of_work(system) as other:
                await take_turn(other, "probe", "another thing")
            order.append("first")

    async def second() -> None:
        await entered.wait()
        async with runtime.unit_of_work(system) as uow:
            await take_turn(uow, "probe", "thing")
            order.append("second")

    await asyncio.gather(second(), first())
    assert order == ["first", "second"]
