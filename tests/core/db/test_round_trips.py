"""What the write path costs in statements, which is what it costs in round trips."""

from __future__ import annotations

import uuid

import pytest
import sqlalchemy as sa

from app.core.ids import new_id
from app.core.pagination import Paging
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.architecture.queries import counted
from tests.core.charts import CHART_CHANGED, Chart, ChartAction, ChartRepository


async def test_unit_of_work_takes_four_round_trips_for_a_change(
    runtime: Runtime, principal: Principal, chart: Chart
) -> None:
    """BEGIN with its tenant, the read, one statement for row, audit, outbox and revision, COMMIT."""
    async with counted(runtime.database) as statements, runtime.unit_of_work(principal) as uow:
        loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
        async with uow.change(loaded, ChartAction.REVISED, event=CHART_CHANGED):
            loaded.number = uuid.uuid4().hex
    assert [statement.split()[0].rstrip(";") for statement in statements] == [
        "BEGIN;SELECT",
        "SELECT",
        "WITH",
        "COMMIT",
    ]


async def test_statements_of_the_session_are_counted_too(runtime: Runtime, principal: Principal) -> None:
    async with counted(runtime.database) as statements, runtime.read_unit_of_work(principal) as uow:
        await (await uow.session()).execute(sa.text("SELECT 1"))
    assert "SELECT 1" in statements and len(statements) == 3
    async with runtime.read_unit_of_work(principal) as uow:
        await (await uow.session()).execute(sa.text("SELECT 2"))
    assert len(statements) == 3


@pytest.mark.parametrize("rows", [1, 12])
async def test_page_is_one_statement_and_one_row_in_the_access_log(
    charts: None, runtime: Runtime, principal: Principal, rows: int
) -> None:
    async with runtime.unit_of_work(principal) as uow:
        for number in range(rows):
            await uow.create(
                Chart(tenant_id=principal.tenant_id, incident_id=new_id(), number=str(number)), ChartAction.OPENED
            )
    async with counted(runtime.database) as statements, runtime.read_unit_of_work(principal) as uow:
        page = await ChartRepository(uow).list_page(principal.tenant_id, Paging(limit=200))
    assert (len(page.items), len(statements)) == (rows, 4)
