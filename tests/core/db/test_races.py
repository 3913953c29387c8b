"""Concurrent writers, and clients that hang up at any moment: no update lost, no write without its audit event."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from app.core.db import uow as units
from app.core.db.pool import ConnectionSource, Lease
from app.core.db.uow import UnitOfWork
from app.core.errors import Conflict
from app.core.ids import TenantId, new_id
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.core.charts import CHART_CHANGED, Chart, ChartAction, ChartRepository
from tests.core.db.conftest import POOL_SIZE, WatchedSource
from tests.core.evidence import audit_of, one, revisions_of
from tests.core.principals import KEYS, principal_of
from tests.core.waiting import expect_eventually


async def test_two_writers_of_one_version_one_wins(
    pool: WatchedSource, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    with pytest.raises(Conflict) as refused:
        async with UnitOfWork(pool, principal, KEYS) as second:
            theirs = await ChartRepository(second).get(principal.tenant_id, chart.id)
            async with UnitOfWork(pool, principal, KEYS) as first:
                mine = await ChartRepository(first).get(principal.tenant_id, chart.id)
                async with first.change(mine, ChartAction.REVISED):
                    mine.number = "first"
            async with second.change(theirs, ChartAction.REVISED):
                theirs.number = "second"
    assert refused.value.details == {"server_version": 2, "updated_at": mine.updated_at.isoformat()}
    stored = await one(admin_connection, "SELECT number, version FROM probe.charts WHERE id = $1", chart.id)
    assert tuple(stored) == ("first", 2)
    assert len(await audit_of(admin_connection, chart.id)) == 2


async def test_three_writers_race_and_exactly_one_wins_every_time(
    pool: WatchedSource, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    async def write(barrier: asyncio.Barrier) -> str:
        try:
            async with UnitOfWork(pool, principal, KEYS) as uow:
                loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
                await barrier.wait()
                async with uow.change(loaded, ChartAction.REVISED):
                    loaded.number = uuid.uuid4().hex
        except Conflict as error:
            assert error.details["server_version"] == loaded.version + 1
            return "conflict"
        return "won"

    for _ in range(15):
        barrier = asyncio.Barrier(3)
        assert sorted(await asyncio.gather(*(write(barrier) for _ in range(3)))) == ["conflict", "conflict", "won"]
    version = await admin_connection.fetchval("SELECT version FROM probe.charts WHERE id = $1", chart.id)
    assert version == 16
    assert [revision["version"] for revision in await revisions_of(admin_connection, chart.id)] == list(range(1, 17))


async def test_writers_that_lock_first_all_succeed(
    pool: WatchedSource, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    """`get_for_update` serialises: what transitions rely on."""

    async def write(tag: str) -> None:
        async with UnitOfWork(pool, principal, KEYS) as uow:
            loaded = await ChartRepository(uow).get_for_update(principal.tenant_id, chart.id)
            async with uow.change(loaded, ChartAction.REVISED):
                loaded.tags = [*(loaded.tags or []), tag]

    await asyncio.gather(*(write(str(number)) for number in range(12)))
    row = await one(admin_connection, "SELECT version, tags FROM probe.charts WHERE id = $1", chart.id)
    assert row["version"] == 13
    assert row["tags"].count(",") == 12, "no update was lost"


async def test_shared_lock_lets_readers_in_and_holds_writers_off(
    pool: WatchedSource, principal: Principal, chart: Chart
) -> None:
    """Children are written under FOR SHARE: several at once, and no transition meanwhile."""
    order: list[str] = []

    async def transition() -> None:
        async with UnitOfWork(pool, principal, KEYS) as uow:
            await ChartRepository(uow).get_for_update(principal.tenant_id, chart.id)
            order.append("transition")

    async with UnitOfWork(pool, principal, KEYS) as one_child, UnitOfWork(pool, principal, KEYS) as another_child:
        await ChartRepository(one_child).get_for_share(principal.tenant_id, chart.id)
        await ChartRepository(another_child).get_for_share(principal.tenant_id, chart.id)
        waiting = asyncio.create_task(transition())
        await asyncio.sleep(0.05)
        order.append("children")
    await waiting
    assert order == ["children", "transition"]


async def test_cancellation_does_not_stop_a_rollback(
    pool: WatchedSource, principal: Principal, chart: Chart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection comes back clean although nobody waits for it any more."""
    reached, released, scrub = asyncio.Event(), asyncio.Event(), units._scrub

    async def held_up(source: ConnectionSource, lease: Lease) -> None:
        reached.set()
        await released.wait()
        await scrub(source, lease)

    async def fail() -> None:
        async with UnitOfWork(pool, principal, KEYS) as uow:
            await ChartRepository(uow).get(principal.tenant_id, chart.id)
            raise ValueError

    monkeypatch.setattr(units, "_scrub", held_up)
    failing = asyncio.create_task(fail())
    await reached.wait()
    failing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await failing
    assert pool.checked_out() == 1
    released.set()
    await expect_eventually(lambda: pool.checked_out() == 0)


_TOTALS = """
SELECT (SELECT sum(version) FROM probe.charts WHERE tenant_id = ANY($1)) AS versions,
       (SELECT count(*) FROM audit_events WHERE tenant_id = ANY($1) AND entity_type = 'chart') AS audits,
       (SELECT count(*) FROM outbox_events WHERE tenant_id = ANY($1)) AS events,
       (SELECT count(*) FROM chart_revisions WHERE tenant_id = ANY($1)) AS revisions
"""


async def test_cancellation_storm_leaves_no_half_write_no_tenant_and_no_lost_connection(
    pool: WatchedSource,
    charts: None,
    runtime: Runtime,
    new_tenant: Callable[[], Awaitable[TenantId]],
    admin_connection: asyncpg.Connection,
) -> None:
    dice = random.Random(20260301)  # noqa: S311  # a repeatable storm
    people = [principal_of(await new_tenant()) for _ in range(2)]
    stored: dict[TenantId, list[uuid.UUID]] = {}
    for person in people:
        async with runtime.unit_of_work(person) as uow:
            made = [
                Chart(tenant_id=person.tenant_id, incident_id=new_id(), number=f"storm-{number}") for number in range(8)
            ]
            for entity in made:
                await uow.create(entity, ChartAction.OPENED, event=CHART_CHANGED)
        stored[person.tenant_id] = [entity.id for entity in made]
    outcomes = {"committed": 0, "conflict": 0, "cancelled": 0}

    async def request() -> None:
        person = dice.choice(people)
        try:
            async with UnitOfWork(pool, person, KEYS) as uow:
                found = await ChartRepository(uow).get(person.tenant_id, dice.choice(stored[person.tenant_id]))
                assert found.tenant_id == person.tenant_id
                async with uow.change(found, ChartAction.REVISED, event=CHART_CHANGED):
                    found.number = uuid.uuid4().hex
        except Conflict:
            outcomes["conflict"] += 1
        else:
            outcomes["committed"] += 1

    async def hang_up(twice: bool) -> None:
        task = asyncio.create_task(request())
        await asyncio.sleep(dice.random() * 0.012)
        task.cancel()
        if twice:  # again while it is cleaning up
            await asyncio.sleep(0)
            task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            outcomes["cancelled"] += 1

    before = await one(admin_connection, _TOTALS, list(stored))
    assert before["versions"] == before["audits"] == before["events"] == before["revisions"] == 16
    for _ in range(25):
        await asyncio.gather(
            *(hang_up(twice=number % 4 == 1) if number % 2 else request() for number in range(16)),
        )
    await expect_eventually(
        lambda: pool.checked_out() == 0
    )  # shielded rollbacks outlive a request that was cancelled twice
    after = await one(admin_connection, _TOTALS, list(stored))
    assert after["versions"] == after["audits"] == after["events"] == after["revisions"]
    writes = after["versions"] - before["versions"]
    assert outcomes["committed"] <= writes <= outcomes["committed"] + outcomes["cancelled"]
    assert min(outcomes.values()) > 0, f"the storm missed a case: {outcomes}"
    states = await pool.states(admin_connection)
    assert len(states) <= POOL_SIZE and set(states) == {"idle"}
    leases = [await pool.acquire() for _ in range(POOL_SIZE)]
    assert not any([await lease.conn.fetchval("SELECT current_setting('app.tenant_id', true)") for lease in leases])
    for lease in leases:
        await pool.release(lease)
