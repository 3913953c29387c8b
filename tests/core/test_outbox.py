"""The relay: in order per aggregate, at least once, each handler's effect exactly once, by one leader at a time."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

from app.background import background
from app.core.config import Settings
from app.core.context import current_context
from app.core.db.uow import UnitOfWork
from app.core.errors import ServiceUnavailable
from app.core.ids import new_id
from app.core.outbox import relay as relay_module
from app.core.outbox.positions import MARK
from app.core.outbox.relay import LEADER_LOCK, MAX_ATTEMPTS, OutboxRelay
from app.core.outbox.signal import OutboxSignal
from app.core.outbox.subscriptions import Event, Subscription
from app.core.permissions import Principal, Role
from app.core.runtime import Runtime, build_runtime
from app.registry import COMPOSITION
from tests.core.charts import CHART_CHANGED, Chart, ChartAction, ChartNote, ChartNoteRepository, ChartRepository
from tests.core.evidence import one, outbox_of
from tests.core.principals import principal_of
from tests.core.waiting import expect_eventually


class Handler:
    """Writes one note per event that it takes, and fails for the charts that it is told to fail for."""

    def __init__(self, name: str = "notes") -> None:
        self.name = name
        self.seen: list[tuple[uuid.UUID, int]] = []
        self.failing: set[uuid.UUID] = set()
        self.principals: list[Principal] = []

    async def __call__(self, uow: UnitOfWork, event: Event) -> None:
        chart_id = uuid.UUID(event.payload["entity_id"])
        self.seen.append((chart_id, event.payload["version"]))
        self.principals.append(uow.principal)
        note = ChartNote(tenant_id=uow.tenant_id, chart_id=chart_id, text=f"{self.name} {event.id}")
        await uow.create(note, ChartAction.REVISED)
        if chart_id in self.failing:
            raise RuntimeError("canary of the handler")

    @property
    def subscription(self) -> Subscription:
        return Subscription(f"probe.{self.name}", (CHART_CHANGED,), self)

    def versions(self, chart: Chart) -> list[int]:
        return [version for chart_id, version in self.seen if chart_id == chart.id]


@pytest.fixture(autouse=True)
async def settled(charts: None, relay: OutboxRelay, admin_connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Each test begins with an empty outbox and leaves none of its own events pending."""
    await admin_connection.execute("UPDATE outbox_events SET published_at = now() WHERE published_at IS NULL")
    yield
    await admin_connection.execute("UPDATE outbox_events SET published_at = now() WHERE published_at IS NULL")


def relay_of(runtime: Runtime, *handlers: Handler, signal: OutboxSignal | None = None) -> OutboxRelay:
    subscriptions = [handler.subscription for handler in handlers]
    return OutboxRelay(runtime, subscriptions, signal or OutboxSignal(None, "unused"))


async def a_chart(runtime: Runtime, principal: Principal) -> Chart:
    made = Chart(tenant_id=principal.tenant_id, incident_id=new_id(), number=uuid.uuid4().hex)
    async with runtime.unit_of_work(principal) as uow:
        await uow.create(made, ChartAction.OPENED, event=CHART_CHANGED)
    return made


async def revise(runtime: Runtime, principal: Principal, chart: Chart) -> None:
    async with runtime.unit_of_work(principal) as uow:
        found = await ChartRepository(uow).get(principal.tenant_id, chart.id)
        async with uow.change(found, ChartAction.REVISED, event=CHART_CHANGED):
            found.number = uuid.uuid4().hex


async def notes_of(runtime: Runtime, principal: Principal, chart: Chart) -> list[str]:
    async with runtime.read_unit_of_work(principal) as uow:
        return [note.text for note in await ChartNoteRepository(uow).list_all(principal.tenant_id, chart_id=chart.id)]


async def expect_notes(runtime: Runtime, principal: Principal, chart: Chart, count: int) -> None:
    """A handler has been called before its unit of work is committed."""

    async def noted() -> bool:
        return len(await notes_of(runtime, principal, chart)) == count

    await expect_eventually(noted)


async def pending(admin: asyncpg.Connection) -> int:
    count: int = await admin.fetchval(
        "SELECT count(*) FROM outbox_events WHERE published_at IS NULL AND failed_at IS NULL"
    )
    return count


async def make_due(admin: asyncpg.Connection) -> None:
    await admin.execute("UPDATE outbox_events SET next_attempt_at = now() WHERE next_attempt_at > now()")


async def test_events_arrive_in_order_per_aggregate_and_are_published(
    runtime: Runtime, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    charts = [await a_chart(runtime, principal) for _ in range(3)]
    for _ in range(4):
        await asyncio.gather(*(revise(runtime, principal, chart) for chart in charts))
    handler = Handler()
    assert await relay_of(runtime, handler).drain() == 15
    for chart in charts:
        assert handler.versions(chart) == [1, 2, 3, 4, 5]
        assert len(await notes_of(runtime, principal, chart)) == 5
        assert all(row["published_at"] for row in await outbox_of(admin_connection, chart.id))
    assert await relay_of(runtime, handler).drain() == 0
    assert len(handler.seen) == 15


async def test_order_holds_over_batches(
    runtime: Runtime, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "BATCH", 2)
    chart = await a_chart(runtime, principal)
    for _ in range(6):
        await revise(runtime, principal, chart)
    handler = Handler()
    assert await relay_of(runtime, handler).drain() == 7
    assert handler.versions(chart) == [1, 2, 3, 4, 5, 6, 7]


async def test_handler_acts_as_the_system_in_the_events_own_tenant(runtime: Runtime, principal: Principal) -> None:
    await a_chart(runtime, principal)
    bound: list[Any] = []
    handler = Handler()

    async def look(uow: UnitOfWork, event: Event) -> None:
        bound.append(current_context())
        await handler(uow, event)

    subscription = Subscription("probe.look", (CHART_CHANGED,), look)
    await OutboxRelay(runtime, [subscription], OutboxSignal(None, "unused")).drain()
    [acting] = handler.principals
    assert (acting.role, acting.tenant_id, acting.user_id) == (Role.SYSTEM, principal.tenant_id, None)
    assert (bound[0].route, bound[0].tenant_id, bound[0].actor_user_id) == ("outbox", principal.tenant_id, None)


async def test_event_without_a_handler_is_published(
    runtime: Runtime, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    chart = await a_chart(runtime, principal)
    assert await relay_of(runtime).drain() == 1
    assert (await outbox_of(admin_connection, chart.id))[0]["published_at"] is not None


async def test_event_of_a_unit_that_rolled_back_never_existed(runtime: Runtime, principal: Principal) -> None:
    with pytest.raises(ZeroDivisionError):
        async with runtime.unit_of_work(principal) as uow:
            made = Chart(tenant_id=principal.tenant_id, incident_id=new_id(), number="x")
            await uow.create(made, ChartAction.OPENED, event=CHART_CHANGED)
            raise ZeroDivisionError
    assert await relay_of(runtime, Handler()).drain() == 0


async def test_redelivered_event_takes_effect_once(
    runtime: Runtime, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    chart = await a_chart(runtime, principal)
    handlers = Handler("one"), Handler("two")
    for _ in range(3):
        await relay_of(runtime, *handlers).drain()
        await admin_connection.execute(
            "UPDATE outbox_events SET published_at = NULL WHERE tenant_id = $1", chart.tenant_id
        )
    assert [handler.versions(chart) for handler in handlers] == [[1], [1]]
    assert len(await notes_of(runtime, principal, chart)) == 2


async def test_crash_between_the_handlers_commit_and_the_mark_repeats_nothing(
    runtime: Runtime, principal: Principal, admin_connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    chart = await a_chart(runtime, principal)
    handler = Handler()
    with monkeypatch.context() as broken:
        broken.setattr(relay_module, "MARK", f"{MARK} LIMIT 1 / 0")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await relay_of(runtime, handler).drain()
    assert await pending(admin_connection) == 1
    assert await relay_of(runtime, handler).drain() == 1
    assert handler.versions(chart) == [1]
    assert len(await notes_of(runtime, principal, chart)) == 1


async def test_failing_handler_leaves_no_trace_and_holds_up_its_own_aggregate_only(
    runtime: Runtime, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    bad, good = await a_chart(runtime, principal), await a_chart(runtime, principal)
    for chart in (bad, good, bad, good):
        await revise(runtime, principal, chart)
    handler = Handler()
    handler.failing = {bad.id}
    await relay_of(runtime, handler).drain()
    assert handler.versions(good) == [1, 2, 3]
    assert handler.versions(bad) == [1], "what comes after a failure waits for it"
    assert await notes_of(runtime, principal, bad) == [], "its writes went with its delivery"
    first, *later = await outbox_of(admin_connection, bad.id)
    assert first["attempts"] == 1 and first["next_attempt_at"] > first["created_at"] and first["failed_at"] is None
    assert all(row["attempts"] == 0 and row["published_at"] is None for row in later)
    deliveries = await admin_connection.fetchval(
        "SELECT count(*) FROM outbox_deliveries WHERE event_id = $1", first["id"]
    )
    assert deliveries == 0
    assert await relay_of(runtime, handler).drain() == 0, "not due again yet"
    handler.failing = set()
    await make_due(admin_connection)
    await relay_of(runtime, handler).drain()
    assert handler.versions(bad) == [1, 1, 2, 3]
    assert len(await notes_of(runtime, principal, bad)) == 3


async def test_failure_waits_longer_each_time(
    runtime: Runtime, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    chart = await a_chart(runtime, principal)
    handler = Handler()
    handler.failing = {chart.id}
    waits = []
    for _ in range(4):
        await relay_of(runtime, handler).drain()
        row = await one(
            admin_connection,
            "SELECT extract(epoch FROM next_attempt_at - now())::float8 AS wait FROM outbox_events"
            " WHERE tenant_id = $1 AND published_at IS NULL",
            chart.tenant_id,
        )
        waits.append(row["wait"])
        await make_due(admin_connection)
    assert waits == sorted(waits) and waits[-1] > 2 * waits[0]


async def test_handler_that_succeeded_is_not_repeated_when_another_fails(
    runtime: Runtime, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    chart = await a_chart(runtime, principal)
    steady, shaky = Handler("steady"), Handler("shaky")
    shaky.failing = {chart.id}
    await relay_of(runtime, steady, shaky).drain()
    shaky.failing = set()
    await make_due(admin_connection)
    await relay_of(runtime, steady, shaky).drain()
    assert steady.versions(chart) == [1]
    assert shaky.versions(chart) == [1, 1]
    assert len(await notes_of(runtime, principal, chart)) == 2


async def test_event_that_keeps_failing_is_set_aside_and_its_aggregate_goes_on(
    runtime: Runtime, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    chart = await a_chart(runtime, principal)
    await revise(runtime, principal, chart)
    await admin_connection.execute(
        "UPDATE outbox_events SET attempts = $2 WHERE tenant_id = $1 AND (payload->>'version') = '1'",
        chart.tenant_id,
        MAX_ATTEMPTS - 1,
    )
    handler = Handler()
    handler.failing = {chart.id}
    await relay_of(runtime, handler).drain()
    dead, next_one = await outbox_of(admin_connection, chart.id)
    assert (dead["attempts"], dead["failed_at"] is not None, dead["published_at"]) == (MAX_ATTEMPTS, True, None)
    handler.failing = set()
    await make_due(admin_connection)
    await relay_of(runtime, handler).drain()
    dead, next_one = await outbox_of(admin_connection, chart.id)
    assert dead["published_at"] is None and next_one["published_at"] is not None
    assert len(await notes_of(runtime, principal, chart)) == 1


async def test_poisoned_unit_of_a_handler_counts_as_failure(
    runtime: Runtime, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    chart = await a_chart(runtime, principal)

    async def swallow(uow: UnitOfWork, event: Event) -> None:
        found = await ChartRepository(uow).get(uow.tenant_id, chart.id)
        with contextlib.suppress(ValueError):
            async with uow.change(found, ChartAction.REVISED):
                raise ValueError

    subscription = Subscription("probe.swallow", (CHART_CHANGED,), swallow)
    await OutboxRelay(runtime, [subscription], OutboxSignal(None, "unused")).drain()
    [row] = await outbox_of(admin_connection, chart.id)
    assert (row["attempts"], row["published_at"]) == (1, None)


@contextlib.asynccontextmanager
async def running(*works: Awaitable[None]) -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield tasks
        assert not any(task.done() for task in tasks), "a background task died"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def other_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Another process of the service, as far as the database and Redis can tell."""
    held = build_runtime(settings, COMPOSITION)
    yield held
    await held.close()


async def leaders(admin: asyncpg.Connection) -> list[int]:
    rows = await admin.fetch(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = $1"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        LEADER_LOCK,
    )
    return [row["pid"] for row in rows]


async def test_one_of_two_relays_leads_and_the_other_takes_over_when_its_connection_dies(
    runtime: Runtime, other_runtime: Runtime, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    signals = [OutboxSignal(None, "unused") for _ in range(2)]
    handler = Handler()
    relays = [
        relay_of(runtime, handler, signal=signals[0]),
        relay_of(other_runtime, handler, signal=signals[1]),
    ]
    async with running(*(relay.run() for relay in relays)):
        await expect_eventually(lambda: sum(signal.leading for signal in signals) == 1)
        [leader] = await leaders(admin_connection)
        before = [signal.leading for signal in signals]
        chart = await a_chart(runtime, principal)
        await expect_eventually(lambda: handler.versions(chart) == [1])
        assert [signal.leading for signal in signals] == before
        await admin_connection.execute("SELECT pg_terminate_backend($1, 5000)", leader)
        await revise(runtime, principal, chart)
        await expect_eventually(lambda: handler.versions(chart) == [1, 2])
        assert leader not in await leaders(admin_connection)
        await expect_eventually(lambda: sum(signal.leading for signal in signals) == 1)
        await expect_notes(runtime, principal, chart, 2)

    async def nobody_leads() -> bool:
        return await leaders(admin_connection) == []

    await expect_eventually(nobody_leads)  # the server ends a closed session in its own time


async def test_relay_survives_whatever_befalls_it(
    runtime: Runtime, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay that dies silently is worse than one that fails loudly: nothing is published ever after."""
    handler = Handler()
    monkeypatch.setattr(relay_module, "RETRY_SECONDS", 0.01)
    relay = relay_of(runtime, handler)
    relay_batch = relay._relay_batch
    errors = [ServiceUnavailable(), RuntimeError("bug"), asyncpg.InterfaceError("closed"), KeyError("payload")]

    async def failing_at_first(lease: Any) -> int:
        if errors:
            raise errors.pop()
        return await relay_batch(lease)

    monkeypatch.setattr(relay, "_relay_batch", failing_at_first)
    async with running(relay.run()):
        chart = await a_chart(runtime, principal)
        await expect_eventually(lambda: handler.versions(chart) == [1])
    assert errors == []


class WatchedSignal(OutboxSignal):
    """Tells whether its relay has nothing to do."""

    is_awaited = False

    async def wait(self, seconds: float) -> None:
        self.is_awaited = True
        await super().wait(seconds)
        self.is_awaited = False


async def test_leader_is_woken_by_a_commit_of_its_own_process(
    runtime: Runtime, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "POLL_SECONDS", 3600)
    signal, handler = WatchedSignal(None, "unused"), Handler()
    monkeypatch.setattr(runtime, "on_publish", signal.notify)
    async with running(relay_of(runtime, handler, signal=signal).run()):
        await expect_eventually(lambda: signal.leading and signal.is_awaited)
        chart = await a_chart(runtime, principal)
        await expect_eventually(lambda: handler.versions(chart) == [1])
        await revise(runtime, principal, chart)
        await expect_eventually(lambda: handler.versions(chart) == [1, 2])
        await expect_notes(runtime, principal, chart, 2)


async def test_leader_is_woken_by_a_commit_of_another_process(
    runtime: Runtime, other_runtime: Runtime, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a poke over Redis; polling is switched off."""
    monkeypatch.setattr(relay_module, "POLL_SECONDS", 3600)
    channel = f"test:{uuid.uuid4().hex}"
    leading, following = OutboxSignal(runtime.redis, channel), OutboxSignal(other_runtime.redis, channel)
    other_runtime.on_publish = following.notify
    handler = Handler()
    assert runtime.redis is not None
    async with running(leading.run(), following.run(), relay_of(runtime, handler, signal=leading).run()):
        await expect_eventually(lambda: leading.leading)
        await expect_eventually(lambda: _subscribed(runtime.redis, channel, 2))
        chart = await a_chart(other_runtime, principal)
        await expect_eventually(lambda: handler.versions(chart) == [1])
        await revise(other_runtime, principal, chart)
        await expect_eventually(lambda: handler.versions(chart) == [1, 2])


async def _subscribed(redis: Any, channel: str, count: int) -> bool:
    [(_, subscribers)] = await redis.pubsub_numsub(channel)
    return bool(subscribers == count)


async def test_without_redis_the_leader_polls(runtime: Runtime, other_runtime: Runtime, principal: Principal) -> None:
    away: Redis = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=1)
    signals = OutboxSignal(away, "x"), OutboxSignal(away, "x")
    other_runtime.on_publish = signals[1].notify
    handler = Handler()
    async with running(signals[0].run(), signals[1].run(), relay_of(runtime, handler, signal=signals[0]).run()):
        await expect_eventually(lambda: signals[0].leading)
        chart = await a_chart(other_runtime, principal)
        await expect_eventually(lambda: handler.versions(chart) == [1])
        await expect_notes(runtime, principal, chart, 1)
    await away.aclose()


async def test_signal_survives_the_loss_of_its_subscription(runtime: Runtime) -> None:
    channel = f"test:{uuid.uuid4().hex}"
    redis: Any = runtime.redis
    receiving, sending = OutboxSignal(redis, channel), OutboxSignal(redis, channel)
    async with running(receiving.run(), sending.run()):
        await expect_eventually(lambda: _subscribed(redis, channel, 2))
        for client in await redis.client_list("pubsub"):
            await redis.client_kill_filter(_id=client["id"])
        await expect_eventually(lambda: _subscribed(redis, channel, 2))
        woken = asyncio.create_task(receiving.wait(15))
        await asyncio.sleep(0)
        sending.notify()
        await woken
        assert not receiving._wake.is_set()


@pytest.mark.parametrize("turns", range(6))
async def test_cancellation_that_meets_a_notification_is_not_lost(turns: int) -> None:
    """Whichever comes first by a turn of the loop: a relay that goes on waiting would hold up the shutdown for ever."""
    signal = OutboxSignal(None, "unused")
    signal.leading = True
    waiting = asyncio.create_task(signal.wait(3600))
    await asyncio.sleep(0.01)
    signal.notify()
    for _ in range(turns):
        await asyncio.sleep(0)
    if not waiting.done():
        waiting.cancel()
        await asyncio.wait({waiting})
        assert waiting.cancelled()
    assert turns > 0 or waiting.cancelled()


async def test_background_tasks_run_and_stop_with_the_app(
    settings: Settings, principal: Principal, chart_runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    """The composed service with `run_jobs`: relay, signal and jobs live, and none outlives it."""
    runtime = build_runtime(settings, COMPOSITION)
    before = asyncio.all_tasks()
    async with background(runtime, run_jobs=True):
        chart = await a_chart(runtime, principal)

        async def published() -> bool:
            return bool((await outbox_of(admin_connection, chart.id))[0]["published_at"])

        await expect_eventually(published)
        assert len(await leaders(admin_connection)) == 1
        await asyncio.sleep(0.2)
        assert not [task for task in asyncio.all_tasks() - before if task.done()]
    assert asyncio.all_tasks() - before == set()

    async def nobody_leads() -> bool:
        return await leaders(admin_connection) == []

    await expect_eventually(nobody_leads)
    await runtime.close()


async def test_two_aggregates_of_one_handler_do_not_share_a_fate(
    runtime: Runtime, principal: Principal, new_tenant: Callable[[], Awaitable[Any]]
) -> None:
    """Not even when they are the same incident of two tenants."""
    other = principal_of(await new_tenant())
    mine, theirs = await a_chart(runtime, principal), await a_chart(runtime, other)
    handler = Handler()
    handler.failing = {mine.id}
    await relay_of(runtime, handler).drain()
    assert (handler.versions(mine), handler.versions(theirs)) == ([1], [1])
    assert len(await notes_of(runtime, other, theirs)) == 1
    assert await notes_of(runtime, principal, mine) == []
