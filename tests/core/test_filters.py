"""Filters of lists: several values mean one of them, bounds include the first instant and not the last, orders hold."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from typing import Any

import asyncpg
import pytest
from pydantic import create_model

from app.core.errors import ValidationFailed
from app.core.filters import chosen, shape_of
from app.core.ids import new_id
from app.core.pagination import Paging, sort_field
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.core.charts import Chart, ChartAction, ChartRepository, ChartStatus

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
Row = tuple[dt.datetime, dt.datetime | None, uuid.UUID]


class Seen(ChartRepository):
    """Charts that can also be asked for by when they were seen, and in that order."""

    ranges = ("seen_at", "created_at")
    sorts = ("seen_at",)


SeenPaging: Any = create_model("SeenPaging", __base__=Paging, sort=sort_field("seen_at"))


@pytest.fixture
async def rows(
    charts: None, runtime: Runtime, principal: Principal, admin_connection: asyncpg.Connection
) -> dict[uuid.UUID, Row]:
    """Forty rows. Many share an instant, made or seen; a third were never seen; a quarter are closed."""
    dice = random.Random(11)  # noqa: S311  # the same rows every time
    made = {}
    async with runtime.unit_of_work(principal) as uow:
        for number in range(40):
            seen = None if number % 3 == 0 else START + dt.timedelta(seconds=dice.choice([0, 0, 1, 2, 3, 3]))
            chart = Chart(tenant_id=principal.tenant_id, incident_id=new_id(), number=f"{number:02}", seen_at=seen)
            await uow.create(chart, ChartAction.OPENED)
            made[chart.id] = (START + dt.timedelta(seconds=dice.choice([0, 1, 1, 2])), seen, chart.id)
    for position, (moment, _, entity_id) in enumerate(made.values()):
        await admin_connection.execute(
            "UPDATE probe.charts SET created_at = $2, status = $3 WHERE id = $1",
            entity_id,
            moment,
            "closed" if position % 4 == 0 else "draft",
        )
    return made


async def listed(runtime: Runtime, principal: Principal, paging: Paging, **filters: Any) -> list[uuid.UUID]:
    """The ids on all pages, in order."""
    found: list[uuid.UUID] = []
    async with runtime.read_unit_of_work(principal) as uow:
        while True:
            page = await Seen(uow).list_page(principal.tenant_id, paging, **filters)
            found += [item.id for item in page.items]
            if page.next_cursor is None:
                return found
            paging = paging.model_copy(update={"cursor": page.next_cursor})


def test_one_value_is_compared_and_several_are_a_choice() -> None:
    assert chosen({"a": ["x", "x"], "b": ["x", "y", "x"], "c": None, "d": "z"}) == {"a": "x", "b": ["x", "y"], "d": "z"}
    assert shape_of({"b": ["x", "y"], "a": "x"}) == (("a", False), ("b", True))


async def test_several_values_mean_one_of_them(
    rows: dict[uuid.UUID, Row], runtime: Runtime, principal: Principal
) -> None:
    every = await listed(runtime, principal, Paging())
    both = await listed(runtime, principal, Paging(), status=[ChartStatus.DRAFT, ChartStatus.CLOSED])
    assert both == every and len(every) == 40
    closed = await listed(runtime, principal, Paging(limit=3), status=[ChartStatus.CLOSED, ChartStatus.CLOSED])
    assert len(closed) == 10 and set(closed) < set(every)
    numbers = await listed(runtime, principal, Paging(limit=1), number=["03", "05", "99"], status=[ChartStatus.DRAFT])
    assert set(numbers) == {list(rows)[3], list(rows)[5]}
    assert await listed(runtime, principal, Paging(), number=["98", "99"]) == []


@pytest.mark.parametrize("column", ["seen_at", "created_at"])
async def test_a_range_has_its_first_instant_and_not_its_last(
    rows: dict[uuid.UUID, Row], runtime: Runtime, principal: Principal, column: str
) -> None:
    bounds = {f"{column}_from": START + dt.timedelta(seconds=1), f"{column}_to": START + dt.timedelta(seconds=3)}
    found = await listed(runtime, principal, Paging(limit=4), **bounds)
    at = {entity_id: seen if column == "seen_at" else made for entity_id, (made, seen, _) in rows.items()}
    seconds = {entity_id: None if moment is None else (moment - START).seconds for entity_id, moment in at.items()}
    assert set(found) == {entity_id for entity_id, second in seconds.items() if second in (1, 2)}
    assert found and len(found) == len(set(found))


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 39, 40])
@pytest.mark.parametrize("sort", ["seen_at", "-seen_at"])
async def test_every_row_once_in_an_order_with_ties_and_nulls(
    rows: dict[uuid.UUID, Row], runtime: Runtime, principal: Principal, sort: str, limit: int
) -> None:
    """A row without the time stands where it was made."""
    wanted = [key[1] for key in sorted((seen or made, entity_id) for made, seen, entity_id in rows.values())]
    found = await listed(runtime, principal, SeenPaging(limit=limit, sort=sort))
    assert found == (wanted if sort == "seen_at" else wanted[::-1])


async def test_a_cursor_belongs_to_its_order(
    rows: dict[uuid.UUID, Row], runtime: Runtime, principal: Principal
) -> None:
    async with runtime.read_unit_of_work(principal) as uow:
        for made, asked in (("seen_at", "created_at"), ("created_at", "seen_at")):
            first = await Seen(uow).list_page(principal.tenant_id, SeenPaging(limit=5, sort=made))
            with pytest.raises(ValidationFailed):
                await Seen(uow).list_page(
                    principal.tenant_id, SeenPaging(limit=5, sort=asked, cursor=first.next_cursor)
                )


async def test_what_is_not_declared_is_no_filter(runtime: Runtime, principal: Principal, charts: None) -> None:
    async with runtime.read_unit_of_work(principal) as uow:
        for name in ("number_from", "seen_at", "patient_name", "seen_at_until", "_from"):
            with pytest.raises(TypeError, match=f"has no filter {name}"):
                await Seen(uow).list_page(principal.tenant_id, Paging(), **{name: START})
        with pytest.raises(TypeError, match="is not sorted by seen_at"):
            await ChartRepository(uow).list_page(principal.tenant_id, SeenPaging(sort="seen_at"))
