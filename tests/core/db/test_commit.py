"""Whatever goes wrong before, in or after COMMIT: all of a unit of work is stored, or nothing and the caller knows."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.db.uow import UnitOfWork
from app.core.errors import Conflict, NotFound, ServiceUnavailable
from app.core.ids import TenantId, new_id
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.core.charts import CHART_CHANGED, Chart, ChartAction, ChartRepository
from tests.core.evidence import audit_of, checksum
from tests.core.principals import KEYS
from tests.support.actors import Agency

_DIVIDE = CompiledStatement(sa.select(sa.literal(1, sa.Integer) / sa.literal(0, sa.Integer)))


def a_chart(tenant_id: TenantId, number: str | None = None) -> Chart:
    return Chart(tenant_id=tenant_id, incident_id=new_id(), number=number or uuid.uuid4().hex)


async def revise(uow: UnitOfWork, chart_id: uuid.UUID, **values: Any) -> Chart:
    loaded = await ChartRepository(uow).get(uow.tenant_id, chart_id)
    async with uow.change(loaded, ChartAction.REVISED, event=CHART_CHANGED):
        for name, value in values.items():
            setattr(loaded, name, value)
    return loaded


@pytest.fixture
async def untouched(
    chart: Chart, principal: Principal, runtime: Runtime, admin_connection: asyncpg.Connection
) -> AsyncIterator[None]:
    before = await checksum(admin_connection, principal.tenant_id)
    yield
    assert await checksum(admin_connection, principal.tenant_id) == before
    assert runtime.database.checked_out() == 0


async def test_error_after_a_change_rolls_it_back(
    untouched: None, runtime: Runtime, principal: Principal, chart: Chart
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with runtime.unit_of_work(principal) as uow:
            await revise(uow, chart.id, number="rolled back")
            raise ZeroDivisionError


async def test_error_swallowed_inside_a_change_refuses_the_commit(
    untouched: None, runtime: Runtime, principal: Principal, chart: Chart
) -> None:
    with pytest.raises(ServiceUnavailable):
        async with runtime.unit_of_work(principal) as uow:
            loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
            with contextlib.suppress(ValueError):
                async with uow.change(loaded, ChartAction.REVISED):
                    loaded.number = "half"
                    raise ValueError


async def test_later_success_does_not_heal_a_failed_change(
    untouched: None, runtime: Runtime, principal: Principal, chart: Chart
) -> None:
    with pytest.raises(ServiceUnavailable):
        async with runtime.unit_of_work(principal) as uow:
            loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
            with contextlib.suppress(ValueError):
                async with uow.change(loaded, ChartAction.REVISED):
                    loaded.number = "half"
                    raise ValueError
            await uow.create(a_chart(principal.tenant_id), ChartAction.OPENED)


async def test_success_inside_a_failing_change_does_not_heal_it(
    untouched: None, runtime: Runtime, principal: Principal, chart: Chart
) -> None:
    with pytest.raises(ServiceUnavailable):
        async with runtime.unit_of_work(principal) as uow:
            loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
            with contextlib.suppress(ValueError):
                async with uow.change(loaded, ChartAction.REVISED):
                    await uow.create(a_chart(principal.tenant_id), ChartAction.OPENED)
                    raise ValueError


async def test_swallowed_conflict_refuses_the_commit(
    untouched: None, runtime: Runtime, principal: Principal, chart: Chart
) -> None:
    with pytest.raises(ServiceUnavailable):
        async with runtime.unit_of_work(principal) as uow:
            await uow.create(a_chart(principal.tenant_id), ChartAction.OPENED)
            stale = await ChartRepository(uow).get(principal.tenant_id, chart.id)
            stale.__dict__["version"] = 7
            with pytest.raises(Conflict):
                async with uow.change(stale, ChartAction.REVISED):
                    stale.number = "stale"


async def test_swallowed_constraint_violation_refuses_the_commit(
    untouched: None, runtime: Runtime, principal: Principal, chart: Chart
) -> None:
    with pytest.raises(ServiceUnavailable):
        async with runtime.unit_of_work(principal) as uow:
            await uow.create(a_chart(principal.tenant_id), ChartAction.OPENED)
            with pytest.raises(asyncpg.UniqueViolationError):
                await uow.create(a_chart(principal.tenant_id, chart.number), ChartAction.OPENED)


async def test_commit_that_postgres_answers_with_rollback_is_an_error(
    untouched: None, runtime: Runtime, principal: Principal, chart: Chart
) -> None:
    """PostgreSQL answers COMMIT of an aborted transaction with ROLLBACK and no error."""
    published: list[None] = []
    with pytest.raises(ServiceUnavailable):
        async with UnitOfWork(runtime.database, principal, KEYS, lambda: published.append(None)) as uow:
            await revise(uow, chart.id, number="lost")
            with pytest.raises(asyncpg.DivisionByZeroError):
                await uow.fetch(_DIVIDE, {})
    assert published == []


async def test_cancellation_swallowed_inside_a_change_refuses_the_commit(
    untouched: None, runtime: Runtime, principal: Principal, chart: Chart
) -> None:
    with pytest.raises(ServiceUnavailable):
        async with runtime.unit_of_work(principal) as uow:
            loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
            with contextlib.suppress(asyncio.CancelledError):
                async with uow.change(loaded, ChartAction.REVISED):
                    loaded.number = "half"
                    raise asyncio.CancelledError


async def test_change_of_a_row_that_vanished_is_not_found(
    runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    async with runtime.read_unit_of_work(principal) as reading:
        loaded = await ChartRepository(reading).get(principal.tenant_id, chart.id)
    await admin_connection.execute("UPDATE probe.charts SET deleted_at = now(), version = 2 WHERE id = $1", chart.id)
    with pytest.raises(NotFound):
        async with runtime.unit_of_work(principal) as uow, uow.change(loaded, ChartAction.REVISED):
            loaded.number = "late"
    assert len(await audit_of(admin_connection, chart.id)) == 1


async def test_publication_is_signalled_once_after_the_commit(
    runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    seen: list[int] = []
    async with UnitOfWork(
        runtime.database, principal, KEYS, lambda: seen.append(runtime.database.checked_out())
    ) as uow:
        await revise(uow, chart.id, number="one")
        await revise(uow, chart.id, number="two")
        assert seen == []
    assert seen == [0], "signalled once, when the connection was already returned"
    async with UnitOfWork(runtime.database, principal, KEYS, lambda: seen.append(-1)) as uow:
        loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
        async with uow.change(loaded, ChartAction.REVISED):
            loaded.number = "no event"
    async with UnitOfWork(runtime.database, principal, KEYS, lambda: seen.append(-1)) as uow:
        await revise(uow, chart.id, number="no event")
    assert seen == [0]


async def test_work_after_the_commit_runs_once_in_order(
    runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    """One that fails is logged, keeps no other from running, and does not fail the unit of work."""
    ran: list[str] = []

    def fail() -> None:
        ran.append("failing")
        raise ZeroDivisionError("CANARYquill7731")

    async with runtime.unit_of_work(principal) as uow:
        uow.after_commit(lambda: ran.append("first"))
        await revise(uow, chart.id, number="stored")
        uow.after_commit(fail)
        uow.after_commit(lambda: ran.append(f"open {runtime.database.checked_out()}"))
        assert ran == []
    assert ran == ["first", "failing", "open 0"]
    await uow.commit()
    assert len(ran) == 3
    assert await admin_connection.fetchval("SELECT number FROM probe.charts WHERE id = $1", chart.id) == "stored"


async def test_failing_work_after_a_commit_is_logged_by_kind(
    runtime: Runtime, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[tuple[str, BaseException]] = []

    class Log:
        def error(self, event: str, *, exc_info: BaseException) -> None:
            logged.append((event, exc_info))

    monkeypatch.setattr("app.core.db.uow._log", Log())
    failure = ZeroDivisionError()

    def fail() -> None:
        raise failure

    async with runtime.unit_of_work(principal) as uow:
        uow.after_commit(fail)
    assert logged == [("work after a commit failed", failure)]


async def test_no_work_after_a_rollback(untouched: None, runtime: Runtime, principal: Principal, chart: Chart) -> None:
    ran: list[str] = []
    with pytest.raises(ZeroDivisionError):
        async with runtime.unit_of_work(principal) as uow:
            uow.after_commit(lambda: ran.append("after a rollback"))
            await revise(uow, chart.id, number="lost")
            raise ZeroDivisionError
    await uow.commit()
    assert ran == []


@pytest.mark.parametrize("failure", ["aborted", "poisoned"])
async def test_no_work_after_a_commit_that_failed(
    untouched: None, runtime: Runtime, principal: Principal, chart: Chart, failure: str
) -> None:
    ran: list[str] = []
    with pytest.raises(ServiceUnavailable):
        async with runtime.unit_of_work(principal) as uow:
            uow.after_commit(lambda: ran.append("after a failure"))
            if failure == "aborted":
                await revise(uow, chart.id, number="lost")
                with pytest.raises(asyncpg.DivisionByZeroError):
                    await uow.fetch(_DIVIDE, {})
            else:
                with contextlib.suppress(Conflict):
                    stale = await ChartRepository(uow).get(principal.tenant_id, chart.id)
                    stale.__dict__["version"] = 99
                    async with uow.change(stale, ChartAction.REVISED):
                        stale.number = "lost"
    with contextlib.suppress(ServiceUnavailable):
        await uow.commit()
    assert ran == []


async def test_unit_that_did_nothing_takes_no_connection(runtime: Runtime, principal: Principal) -> None:
    async with runtime.unit_of_work(principal) as uow:
        assert runtime.database.checked_out() == 0
        assert uow.tenant_id == principal.tenant_id


@contextlib.asynccontextmanager
async def without_grant(connection: asyncpg.Connection, privilege: str, table: str) -> AsyncIterator[None]:
    await connection.execute(f"REVOKE {privilege} ON {table} FROM fusionems_app")
    try:
        yield
    finally:
        await connection.execute(f"GRANT {privilege} ON {table} TO fusionems_app")


@pytest.mark.parametrize("record", ["audit_events", "outbox_events", "chart_revisions"])
async def test_record_refused_means_nothing_is_written(
    untouched: None,
    runtime: Runtime,
    principal: Principal,
    chart: Chart,
    admin_connection: asyncpg.Connection,
    record: str,
) -> None:
    async with without_grant(admin_connection, "INSERT", record):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with runtime.unit_of_work(principal) as uow:
                await revise(uow, chart.id, number="unrecorded")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with runtime.unit_of_work(principal) as uow:
                await uow.create(a_chart(principal.tenant_id), ChartAction.OPENED, event=CHART_CHANGED)
        with pytest.raises(ServiceUnavailable):
            async with runtime.unit_of_work(principal) as uow:
                with contextlib.suppress(asyncpg.PostgresError):
                    await revise(uow, chart.id, number="unrecorded")


async def test_audit_refused_over_http(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    before = await checksum(admin_connection, agency.tenant_id)
    async with without_grant(admin_connection, "INSERT", "audit_events"):
        body = await agency.admin.expect(500, "PATCH", "tenants/current", json={"version": 1, "trade_name": "x"})
    assert body["error"]["code"] == "INTERNAL_ERROR"
    assert await checksum(admin_connection, agency.tenant_id) == before


_REFUSE_AT_COMMIT = """
CREATE FUNCTION probe_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'canary of the commit' USING ERRCODE = '{sqlstate}'; END $$;
CREATE CONSTRAINT TRIGGER probe_refuse AFTER UPDATE ON tenants DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION probe_refuse();
"""


@pytest.mark.parametrize(
    ("sqlstate", "status"),
    [("P0001", 500), ("23503", 422), ("23505", 409), ("23514", 422), ("40001", 503), ("55P03", 503), ("57014", 503)],
)
async def test_commit_that_fails_never_answers_success(
    agency: Agency, admin_connection: asyncpg.Connection, runtime: Runtime, sqlstate: str, status: int
) -> None:
    """The order is endpoint, serialise, COMMIT, response (function scope): a failed commit reaches the client."""
    before = await checksum(admin_connection, agency.tenant_id)
    await admin_connection.execute(_REFUSE_AT_COMMIT.format(sqlstate=sqlstate))
    try:
        answer = await agency.admin.patch("tenants/current", json={"version": 1, "trade_name": "x"})
    finally:
        await admin_connection.execute("DROP FUNCTION probe_refuse() CASCADE")
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "details", "trace_id"}
    assert "canary" not in answer.text
    assert await checksum(admin_connection, agency.tenant_id) == before
    assert runtime.database.checked_out() == 0
