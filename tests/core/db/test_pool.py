"""The pool without a greenlet switch: killed backends, lost leases and exhaustion pass without a wrong answer."""

from __future__ import annotations

import asyncio
import gc
import threading
import uuid
import warnings
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from app.core.config import Settings
from app.core.db.pool import ConnectionSource, create_engine
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.errors import ServiceUnavailable
from app.core.permissions import Principal
from tests.core.charts import Chart, ChartAction, ChartRepository
from tests.core.db.conftest import POOL_SIZE, WatchedSource
from tests.core.evidence import audit_of
from tests.core.principals import KEYS
from tests.core.waiting import expect_eventually
from tests.support.database import TestDatabase

CUT_OFF = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""Whatever a statement meets on a connection whose backend is dying."""
_PID = CompiledStatement(sa.select(sa.func.pg_backend_pid()))
_SLEEP = CompiledStatement(sa.select(sa.func.pg_sleep(sa.bindparam("seconds", type_=sa.Float))))


async def backend(source: ConnectionSource, principal: Principal, barrier: asyncio.Barrier | None = None) -> int:
    async with ReadUnitOfWork(source, principal) as uow:
        pid: int = (await uow.fetch_row(_PID, {}))[0]
        if barrier is not None:
            await barrier.wait()
    return pid


async def all_backends(source: ConnectionSource, principal: Principal) -> set[int]:
    barrier = asyncio.Barrier(POOL_SIZE)
    return set(await asyncio.gather(*(backend(source, principal, barrier) for _ in range(POOL_SIZE))))


async def kill(admin: asyncpg.Connection, pid: int) -> None:
    """Returns when the backend is gone."""
    await admin.execute("SELECT pg_terminate_backend($1, 5000)", pid)


async def test_backends_killed_while_idle_are_replaced_without_an_error(
    pool: WatchedSource, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    pids = await all_backends(pool, principal)
    assert len(pids) == POOL_SIZE
    for pid in pids:
        await kill(admin_connection, pid)
    fresh = await asyncio.gather(*(backend(pool, principal) for _ in range(3 * POOL_SIZE)))
    assert not pids & set(fresh)


async def test_backend_killed_unnoticed_is_replaced_without_an_error(
    pool: WatchedSource, principal: Principal, database: TestDatabase
) -> None:
    """The client has not read the FATAL message yet when it sends BEGIN."""
    pid = await backend(pool, principal)

    async def kill_from_another_loop() -> None:
        admin = await asyncpg.connect(database.admin)
        await kill(admin, pid)
        await admin.close()

    another = threading.Thread(target=lambda: asyncio.run(kill_from_another_loop()))
    another.start()
    another.join()  # this loop stands still: it cannot notice
    assert await backend(pool, principal) != pid


async def test_backend_killed_in_a_transaction_fails_that_transaction_only(
    pool: WatchedSource, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    with pytest.raises(CUT_OFF):
        async with UnitOfWork(pool, principal, KEYS) as uow:
            loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
            async with uow.change(loaded, ChartAction.REVISED):
                loaded.number = "killed"
            await kill(admin_connection, (await uow.fetch_row(_PID, {}))[0])
            await uow.fetch_row(_PID, {})
    assert len(await audit_of(admin_connection, chart.id)) == 1
    assert len(await all_backends(pool, principal)) == POOL_SIZE


async def test_backend_killed_before_commit_fails_the_commit(
    pool: WatchedSource, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    with pytest.raises(CUT_OFF):
        async with UnitOfWork(pool, principal, KEYS) as uow:
            loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
            async with uow.change(loaded, ChartAction.REVISED):
                loaded.number = "killed"
            await kill(admin_connection, (await uow.fetch_row(_PID, {}))[0])
    assert len(await audit_of(admin_connection, chart.id)) == 1


async def test_lease_that_nobody_returned_comes_back(pool: WatchedSource, principal: Principal) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy says so, and rightly
        lease: Any = await pool.acquire()
        await lease.conn.execute("BEGIN; SELECT set_config('app.tenant_id', 'left behind', true)")
        del lease
        gc.collect()
        await asyncio.sleep(0.05)
    assert len(await all_backends(pool, principal)) == POOL_SIZE


async def test_connection_returned_inside_a_transaction_is_not_handed_out(
    pool: WatchedSource, principal: Principal
) -> None:
    lease = await pool.acquire()
    left = lease.conn.get_server_pid()
    await lease.conn.execute("BEGIN")
    await pool.release(lease)
    assert left not in await all_backends(pool, principal)


async def test_error_lets_go_of_its_locks_at_once(
    pool: WatchedSource, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    """Not when the connection happens to be used again."""
    with pytest.raises(ZeroDivisionError):
        async with UnitOfWork(pool, principal, KEYS) as uow:
            await ChartRepository(uow).get_for_update(principal.tenant_id, chart.id)
            raise ZeroDivisionError
    await admin_connection.execute("SELECT FROM probe.charts WHERE id = $1 FOR UPDATE NOWAIT", chart.id)
    assert await pool.states(admin_connection) == ["idle"]


async def test_exhausted_pool_refuses_and_recovers(pool: WatchedSource, principal: Principal) -> None:
    barrier = asyncio.Barrier(POOL_SIZE + 1)
    holders = [asyncio.create_task(backend(pool, principal, barrier)) for _ in range(POOL_SIZE)]
    await expect_eventually(lambda: pool.checked_out() == POOL_SIZE)
    with pytest.raises(sa.exc.TimeoutError):
        await backend(pool, principal)
    await barrier.wait()
    await asyncio.gather(*holders)
    assert await backend(pool, principal)


async def test_waiters_are_served_when_a_connection_returns(pool: WatchedSource, principal: Principal) -> None:
    served = await asyncio.gather(*(backend(pool, principal) for _ in range(10 * POOL_SIZE)))
    assert len(set(served)) <= POOL_SIZE


async def test_waiter_that_is_cancelled_takes_no_connection_with_it(pool: WatchedSource, principal: Principal) -> None:
    leases = [await pool.acquire() for _ in range(POOL_SIZE)]
    waiter = asyncio.create_task(backend(pool, principal))
    await asyncio.sleep(0.02)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    for lease in leases:
        await pool.release(lease)
    assert len(await all_backends(pool, principal)) == POOL_SIZE


async def test_checkout_that_is_cancelled_while_connecting_leaves_nothing_behind(
    settings: Settings, admin_connection: asyncpg.Connection, principal: Principal
) -> None:
    """Wherever it was, between the socket and the last word of the handshake: no connection, no error of nobody's."""
    dsn, loop = settings.database_url.get_secret_value(), asyncio.get_running_loop()
    stray: list[str] = []
    loop.set_exception_handler(lambda _, context: stray.append(context["message"]))
    for half_milliseconds in range(30):
        name = f"cancelled-{uuid.uuid4().hex[:12]}"
        source = WatchedSource(name, create_engine(dsn, pool_size=1, application_name=name))
        task = asyncio.create_task(source.acquire())
        await asyncio.sleep(half_milliseconds / 2000)
        task.cancel()
        [outcome] = await asyncio.gather(task, return_exceptions=True)
        if not isinstance(outcome, BaseException):
            await source.release(outcome)
        assert await backend(source, principal), "its place is free again"
        await source.dispose()
        del task, outcome
        gc.collect()
    loop.set_exception_handler(None)
    assert stray == []
    left = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'cancelled-%'"
    await expect_eventually(lambda: is_zero(admin_connection, left))


async def is_zero(admin: asyncpg.Connection, count: str) -> bool:
    return bool(await admin.fetchval(count) == 0)


async def test_statement_that_is_cancelled_leaves_a_usable_pool(pool: WatchedSource, principal: Principal) -> None:
    async def sleep() -> None:
        async with ReadUnitOfWork(pool, principal) as uow:
            await uow.fetch(_SLEEP, {"seconds": 30.0})

    tasks = [asyncio.create_task(sleep()) for _ in range(POOL_SIZE)]
    await expect_eventually(lambda: pool.checked_out() == POOL_SIZE)
    await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    assert {type(outcome) for outcome in await asyncio.gather(*tasks, return_exceptions=True)} == {
        asyncio.CancelledError
    }
    assert len(await all_backends(pool, principal)) == POOL_SIZE


async def test_database_that_is_away_is_a_transient_failure(principal: Principal) -> None:
    source = ConnectionSource(
        create_engine("postgresql://nobody@127.0.0.1:1/none", pool_size=1, application_name="away")
    )
    with pytest.raises((OSError, ServiceUnavailable)):
        await backend(source, principal)
    await source.dispose()


async def test_tenant_must_be_a_uuid(pool: WatchedSource) -> None:
    """The tenant is written into the BEGIN message: a UUID prints as hex and dashes, and nothing else may be there."""
    hostile: Any = "x'); DROP TABLE users; --"
    with pytest.raises(TypeError):
        await backend(pool, Principal(tenant_id=hostile, role=Principal.system(hostile).role))


async def test_connection_that_is_in_use_while_the_pool_is_disposed_is_closed_when_it_comes_back(
    database: TestDatabase,
) -> None:
    """A poll of the gate outlives the process's farewell by a moment."""
    source = ConnectionSource(create_engine(database.app, pool_size=1, application_name="late"))
    lease = await source.acquire()
    await source.dispose()
    assert not lease.conn.is_closed()
    await source.release(lease)
    assert lease.conn.is_closed()
