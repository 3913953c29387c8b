"""Jobs: there if and only if their cause was committed, run as the system of their tenant, silent about values."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import orjson
import pytest

from app.core.context import current_context
from app.core.ids import new_id
from app.core.jobs.queue import Job, JobRunner, Schedule, enqueue, run_job
from app.core.permissions import Principal, Role
from app.core.runtime import Runtime
from tests.core.charts import Chart, ChartAction
from tests.core.waiting import expect_eventually

CANARY = "CANARYquill7731"


class Work:
    """A job that notes what it was given, and fails as often as it is told to."""

    def __init__(self) -> None:
        self.given: list[tuple[Principal, dict[str, uuid.UUID]]] = []
        self.contexts: list[Any] = []
        self.failures: list[Exception] = []
        self.job = Job(f"probe.{uuid.uuid4().hex}", self)

    async def __call__(self, runtime: Runtime, principal: Principal, ids: dict[str, uuid.UUID]) -> None:
        self.given.append((principal, ids))
        self.contexts.append(current_context())
        if self.failures:
            raise self.failures.pop(0)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
async def start(runtime: Runtime) -> AsyncIterator[Callable[..., asyncio.Task[None]]]:
    """Starts a runner, which is cancelled at the end of the test and must be alive until then."""
    tasks: list[asyncio.Task[None]] = []

    def begin(*jobs: Job, schedules: tuple[Schedule, ...] = ()) -> asyncio.Task[None]:
        tasks.append(asyncio.create_task(JobRunner(runtime, jobs, schedules).run()))
        return tasks[-1]

    yield begin
    assert not any(task.done() for task in tasks), "the runner died"
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def queued(admin: asyncpg.Connection, job: Job) -> list[Any]:
    return list(await admin.fetch("SELECT * FROM pgqueuer WHERE entrypoint = $1 ORDER BY id", job.name))


async def logged(admin: asyncpg.Connection, job: Job) -> list[Any]:
    return list(await admin.fetch("SELECT * FROM pgqueuer_log WHERE entrypoint = $1 ORDER BY id", job.name))


async def runners(admin: asyncpg.Connection) -> list[int]:
    """Backends of the system role that listen for jobs."""
    rows = await admin.fetch(
        "SELECT pid FROM pg_stat_activity WHERE usename = 'fusionems_system' AND datname = current_database()"
        " AND application_name <> 'fusionems-system'"
    )
    return [row["pid"] for row in rows]


async def test_job_is_there_when_its_cause_was_committed(
    runtime: Runtime, principal: Principal, work: Work, admin_connection: asyncpg.Connection
) -> None:
    async with runtime.unit_of_work(principal) as uow:
        await enqueue(uow, work.job, {"entity_id": new_id()})
        assert await queued(admin_connection, work.job) == [], "not before the commit"
    [row] = await queued(admin_connection, work.job)
    payload = orjson.loads(row["payload"])
    assert (row["status"], payload["tenant_id"]) == ("queued", str(principal.tenant_id))


async def test_job_is_not_there_when_its_cause_rolled_back(
    charts: None, runtime: Runtime, principal: Principal, work: Work, admin_connection: asyncpg.Connection
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with runtime.unit_of_work(principal) as uow:
            made = Chart(tenant_id=principal.tenant_id, incident_id=new_id(), number="x")
            await uow.create(made, ChartAction.OPENED)
            await enqueue(uow, work.job, {"entity_id": made.id})
            raise ZeroDivisionError
    assert await queued(admin_connection, work.job) == []


async def test_duplicate_of_a_waiting_job_is_not_added_and_does_not_fail_its_cause(
    runtime: Runtime, principal: Principal, work: Work, admin_connection: asyncpg.Connection
) -> None:
    first, *others = [new_id() for _ in range(3)]
    for one_id in (first, *others):
        async with runtime.unit_of_work(principal) as uow:
            await enqueue(uow, work.job, {"entity_id": one_id}, dedupe="probe")
            await enqueue(uow, work.job, {"entity_id": one_id}, dedupe="probe")
    [row] = await queued(admin_connection, work.job)
    assert orjson.loads(row["payload"])["entity_id"] == str(first)
    assert len(await logged(admin_connection, work.job)) == 1


async def test_done_job_may_be_enqueued_again(
    runtime: Runtime,
    principal: Principal,
    work: Work,
    start: Callable[..., Any],
    admin_connection: asyncpg.Connection,
) -> None:
    start(work.job)
    for count in (1, 2):
        async with runtime.unit_of_work(principal) as uow:
            await enqueue(uow, work.job, {}, dedupe=f"again:{principal.tenant_id}")
        await expect_eventually(lambda count=count: len(work.given) == count)  # type: ignore[misc]
        await expect_eventually(lambda: _empty(admin_connection, work.job))
    assert len(work.given) == 2


async def _empty(admin: asyncpg.Connection, job: Job) -> bool:
    return await queued(admin, job) == []


async def test_job_runs_as_the_system_of_its_tenant_in_a_context_of_its_own(
    runtime: Runtime, principal: Principal, work: Work, start: Callable[..., Any]
) -> None:
    start(work.job)
    entity_id = new_id()
    for _ in range(2):
        async with runtime.unit_of_work(principal) as uow:
            await enqueue(uow, work.job, {"entity_id": entity_id})
    await expect_eventually(lambda: len(work.given) == 2)
    for acting, ids in work.given:
        assert (acting.role, acting.tenant_id, acting.user_id) == (Role.SYSTEM, principal.tenant_id, None)
        assert ids == {"entity_id": entity_id}
    assert {context.tenant_id for context in work.contexts} == {principal.tenant_id}
    assert {context.route for context in work.contexts} == {work.job.name}
    assert len({context.request_id for context in work.contexts}) == 2


async def test_tenant_in_the_payload_is_the_enqueuers_whatever_else_it_says(
    runtime: Runtime, principal: Principal, work: Work, admin_connection: asyncpg.Connection
) -> None:
    """A payload is built from what a service holds; a key of that name must not redirect the job."""
    async with runtime.unit_of_work(principal) as uow:
        await enqueue(uow, work.job, {"tenant_id": new_id()})
    [row] = await queued(admin_connection, work.job)
    await run_job(runtime, work.job, row["payload"])
    assert work.given[0][0].tenant_id == principal.tenant_id


async def test_job_waits_for_its_time(
    runtime: Runtime, principal: Principal, work: Work, start: Callable[..., Any], admin_connection: asyncpg.Connection
) -> None:
    start(work.job)
    async with runtime.unit_of_work(principal) as uow:
        await enqueue(uow, work.job, {"later": new_id()}, after=dt.timedelta(hours=1))
        await enqueue(uow, work.job, {"now": new_id()})
    await expect_eventually(lambda: len(work.given) == 1)
    await asyncio.sleep(0.3)
    assert [list(ids) for _, ids in work.given] == [["now"]]
    await admin_connection.execute("UPDATE pgqueuer SET execute_after = now() WHERE entrypoint = $1", work.job.name)
    await expect_eventually(lambda: len(work.given) == 2)


async def test_failed_job_is_retried_and_what_is_kept_of_the_failure_holds_no_values(
    runtime: Runtime,
    principal: Principal,
    work: Work,
    start: Callable[..., Any],
    admin_connection: asyncpg.Connection,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cause = ValueError(f"{CANARY} in the cause")
    failure = asyncpg.UniqueViolationError(f"Key (patient_name)=({CANARY}) already exists.")
    failure.__cause__ = cause
    failure.__context__ = cause
    work.failures = [failure, ExceptionGroup(CANARY, [KeyError(CANARY)])]
    start(work.job)
    async with runtime.unit_of_work(principal) as uow:
        await enqueue(uow, work.job, {"entity_id": new_id()})
    await expect_eventually(lambda: len(work.given) == 3)
    await expect_eventually(lambda: _empty(admin_connection, work.job))
    rows = await logged(admin_connection, work.job)
    text = str([dict(row) for row in rows])
    assert "UniqueViolationError" in text and "ExceptionGroup" in text
    assert CANARY not in text
    assert CANARY not in capsys.readouterr().out


async def test_failure_that_cannot_even_be_logged_gives_no_values_away(
    runtime: Runtime,
    principal: Principal,
    work: Work,
    start: Callable[..., Any],
    admin_connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error of the log would bring the first one along, as its context, into the queue's tables."""

    class BrokenLog:
        def error(self, *_: Any, **__: Any) -> None:
            raise BrokenPipeError

    monkeypatch.setattr("app.core.jobs.queue._log", BrokenLog())
    work.failures = [ValueError(CANARY)]
    start(work.job)
    async with runtime.unit_of_work(principal) as uow:
        await enqueue(uow, work.job, {"entity_id": new_id()})
    await expect_eventually(lambda: len(work.given) == 2)
    text = str([dict(row) for row in await logged(admin_connection, work.job)])
    assert "BrokenPipeError" in text and CANARY not in text


async def test_job_that_keeps_failing_is_held_with_the_kind_of_failure_only(
    runtime: Runtime, principal: Principal, work: Work, start: Callable[..., Any], admin_connection: asyncpg.Connection
) -> None:
    work.failures = [RuntimeError(f"{CANARY} {attempt}") for attempt in range(99)]
    async with runtime.unit_of_work(principal) as uow:
        await enqueue(uow, work.job, {"entity_id": new_id()})
    await admin_connection.execute("UPDATE pgqueuer SET attempts = 8 WHERE entrypoint = $1", work.job.name)
    start(work.job)

    async def held() -> bool:
        return [row["status"] for row in await queued(admin_connection, work.job)] == ["failed"]

    await expect_eventually(held)
    everything = str([dict(row) for row in await queued(admin_connection, work.job)])
    everything += str([dict(row) for row in await logged(admin_connection, work.job)])
    assert "RuntimeError" in everything and CANARY not in everything
    assert len(work.given) == 1


async def test_failing_job_does_not_hold_up_the_others(
    runtime: Runtime, principal: Principal, start: Callable[..., Any]
) -> None:
    bad, good = Work(), Work()
    bad.failures = [RuntimeError("bug") for _ in range(99)]
    start(bad.job, good.job)
    async with runtime.unit_of_work(principal) as uow:
        await enqueue(uow, bad.job, {})
        for _ in range(5):
            await enqueue(uow, good.job, {"entity_id": new_id()})
    await expect_eventually(lambda: len(good.given) == 5)
    assert bad.given


async def test_payload_that_is_none_is_held_not_fatal(
    runtime: Runtime, principal: Principal, work: Work, start: Callable[..., Any], admin_connection: asyncpg.Connection
) -> None:
    fine = new_id()
    for payload in (
        b"",
        b"nonsense",
        b"{}",
        b"[]",
        b'{"tenant_id": "x"}',
        b'{"tenant_id": "x", "seal": "\xc3\xa9"}',
        None,
    ):
        await admin_connection.execute(
            "INSERT INTO pgqueuer (entrypoint, payload, priority, status, attempts) VALUES ($1, $2, 0, 'queued', 8)",
            work.job.name,
            payload,
        )
    start(work.job)

    async def all_held() -> bool:
        return {row["status"] for row in await queued(admin_connection, work.job)} == {"failed"}

    await expect_eventually(all_held)
    async with runtime.unit_of_work(principal) as uow:
        await enqueue(uow, work.job, {"fine": fine})
    await expect_eventually(lambda: len(work.given) == 1)
    assert work.given[0][1] == {"fine": fine}


async def test_runner_replaces_a_lost_connection(
    runtime: Runtime, principal: Principal, work: Work, start: Callable[..., Any], admin_connection: asyncpg.Connection
) -> None:
    start(work.job)
    for count in (1, 2):
        async with runtime.unit_of_work(principal) as uow:
            await enqueue(uow, work.job, {})
        await expect_eventually(lambda count=count: len(work.given) == count)  # type: ignore[misc]
        lost = await runners(admin_connection)
        assert lost
        for pid in lost:
            await admin_connection.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    assert len(work.given) == 2


async def test_runner_outlives_whatever_befalls_it(
    runtime: Runtime,
    principal: Principal,
    work: Work,
    start: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_once = JobRunner._run_once
    errors = [RuntimeError("verify_structure"), ExceptionGroup("x", [KeyError("y")]), OSError("refused")]

    async def failing_at_first(self: JobRunner) -> None:
        if errors:
            raise errors.pop()
        await run_once(self)

    monkeypatch.setattr("app.core.jobs.queue.RETRY_SECONDS", 0.01)
    monkeypatch.setattr(JobRunner, "_run_once", failing_at_first)
    start(work.job)
    async with runtime.unit_of_work(principal) as uow:
        await enqueue(uow, work.job, {})
    await expect_eventually(lambda: len(work.given) == 1)
    assert errors == []


async def test_runner_without_jobs_lives(runtime: Runtime, start: Callable[..., Any]) -> None:
    task = start()
    await asyncio.sleep(0.5)
    assert not task.done()


async def test_two_runners_share_the_work(
    runtime: Runtime, principal: Principal, work: Work, start: Callable[..., Any]
) -> None:
    start(work.job)
    start(work.job)
    async with runtime.unit_of_work(principal) as uow:
        for entity_id in (made := [new_id() for _ in range(20)]):
            await enqueue(uow, work.job, {"entity_id": entity_id})
    await expect_eventually(lambda: len(work.given) >= 20)
    await asyncio.sleep(0.2)
    assert sorted(ids["entity_id"] for _, ids in work.given) == made


async def test_cancelled_runner_leaves_no_connection(
    runtime: Runtime, work: Work, admin_connection: asyncpg.Connection
) -> None:
    task = asyncio.create_task(JobRunner(runtime, [work.job]).run())
    await expect_eventually(lambda: _running(admin_connection, 1))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await expect_eventually(lambda: _running(admin_connection, 0))
    assert task.cancelled()


async def _running(admin: asyncpg.Connection, count: int) -> bool:
    return len(await runners(admin)) == count


async def test_schedule_runs_in_a_context_of_its_own_and_survives_its_failures(
    runtime: Runtime,
    start: Callable[..., Any],
    admin_connection: asyncpg.Connection,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: list[Any] = []

    async def run(given: Runtime) -> None:
        seen.append(current_context())
        if len(seen) == 1:
            raise RuntimeError(CANARY)

    schedule = Schedule(f"probe.{uuid.uuid4().hex}", "* * * * * *", run)  # every second
    start(schedules=(schedule,))
    await expect_eventually(lambda: len(seen) >= 2)
    assert {context.route for context in seen} == {schedule.name}
    assert len({context.request_id for context in seen}) == len(seen)
    stored = await admin_connection.fetch("SELECT * FROM pgqueuer_schedules WHERE entrypoint = $1", schedule.name)
    assert CANARY not in str(stored) + capsys.readouterr().out
