"""The session that reads: on the unit's own transaction, under its tenant, and with no way to write or to commit."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
import sqlalchemy as sa

from app.core.db.entity import SealedEntityError
from app.core.errors import ServiceUnavailable
from app.core.ids import TenantId
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.core.charts import Chart, ChartAction, ChartRepository
from tests.core.evidence import audit_of
from tests.core.principals import principal_of


async def test_session_reads_what_its_unit_has_written_and_not_committed(
    runtime: Runtime, principal: Principal, chart: Chart
) -> None:
    mine = sa.select(Chart).where(Chart.number == "uncommitted")
    async with runtime.unit_of_work(principal) as uow:
        loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
        async with uow.change(loaded, ChartAction.REVISED):
            loaded.number = "uncommitted"
        session = await uow.session()
        [seen] = (await session.scalars(mine)).all()
        assert (seen.id, seen.version) == (chart.id, 2)
        async with runtime.read_unit_of_work(principal) as another:
            assert (await (await another.session()).scalars(mine)).all() == []


async def test_session_sees_its_own_tenant_alone(
    runtime: Runtime, principal: Principal, chart: Chart, foreign_chart: Chart
) -> None:
    """No condition on the tenant in these queries: the database adds it."""
    async with runtime.read_unit_of_work(principal) as uow:
        session = await uow.session()
        assert {found.tenant_id for found in await session.scalars(sa.select(Chart))} == {principal.tenant_id}
        assert await session.get(Chart, foreign_chart.id) is None
        count = await session.scalar(sa.select(sa.func.count()).select_from(Chart))
    assert count == 1


@pytest.fixture
async def foreign_chart(charts: None, runtime: Runtime, new_tenant: Callable[[], Awaitable[TenantId]]) -> Chart:
    """A chart of another tenant."""
    other = principal_of(await new_tenant())
    made = Chart(tenant_id=other.tenant_id, incident_id=uuid.uuid4(), number="theirs")
    async with runtime.unit_of_work(other) as uow:
        await uow.create(made, ChartAction.OPENED)
    return made


async def test_entity_that_the_session_loaded_is_sealed_and_can_be_changed(
    runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    async with runtime.unit_of_work(principal) as uow:
        session = await uow.session()
        [found] = (await session.scalars(sa.select(Chart).where(Chart.id == chart.id))).all()
        with pytest.raises(SealedEntityError):
            found.number = "x"
        async with uow.change(found, ChartAction.REVISED):
            found.number = "through the unit"
            assert found.vitals is not None
            found.vitals["pulse"].append(90)
        await session.flush()
        assert found.version == 2
        with pytest.raises(SealedEntityError):
            found.number = "y"
    [_, event] = await audit_of(admin_connection, chart.id)
    assert sorted(event["changed_fields_json"]) == ["number", "vitals"]


async def test_refreshed_entity_stays_sealed(runtime: Runtime, principal: Principal, chart: Chart) -> None:
    async with runtime.unit_of_work(principal) as uow:
        session = await uow.session()
        found = (await session.scalars(sa.select(Chart).where(Chart.id == chart.id))).one()
        await session.refresh(found)
        with pytest.raises(SealedEntityError):
            found.number = "x"
        session.expire(found)
        await session.refresh(found)
        with pytest.raises(SealedEntityError):
            found.number = "x"


async def test_session_cannot_commit(
    runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    """There is one committer: what the session says about transactions has no effect on the unit's own."""
    with pytest.raises(ZeroDivisionError):
        async with runtime.unit_of_work(principal) as uow:
            loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
            async with uow.change(loaded, ChartAction.REVISED):
                loaded.number = "early"
            session = await uow.session()
            await session.execute(sa.text("SELECT 1"))
            await session.commit()
            await session.execute(sa.text("SELECT 1"))
            raise ZeroDivisionError
    assert await admin_connection.fetchval("SELECT number FROM probe.charts WHERE id = $1", chart.id) == chart.number


async def test_session_is_the_same_throughout_the_unit_and_dead_after_it(
    runtime: Runtime, principal: Principal, chart: Chart
) -> None:
    async with runtime.unit_of_work(principal) as uow:
        session = await uow.session()
        assert await uow.session() is session
        assert await session.scalar(sa.select(sa.func.count()).select_from(Chart)) == 1
    assert runtime.database.checked_out() == 0
    with pytest.raises(sa.exc.SQLAlchemyError):
        await session.scalar(sa.select(sa.func.count()).select_from(Chart))


async def test_error_in_the_session_that_is_swallowed_cannot_be_committed(
    runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    with pytest.raises(ServiceUnavailable):
        async with runtime.unit_of_work(principal) as uow:
            loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
            async with uow.change(loaded, ChartAction.REVISED):
                loaded.number = "lost"
            session = await uow.session()
            with pytest.raises(sa.exc.DBAPIError):
                await session.execute(sa.text("SELECT 1 / 0"))
            await session.rollback()
    assert len(await audit_of(admin_connection, chart.id)) == 1
