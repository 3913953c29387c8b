"""Cursors: what was encoded comes back, everything else is refused; pages give every row once, in order, both ways."""

from __future__ import annotations

import base64
import datetime as dt
import random
import uuid
from collections.abc import Callable
from typing import Any, Literal

import asyncpg
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ValidationFailed
from app.core.ids import new_id
from app.core.pagination import OldestFirst, Paging, decode_cursor, encode_cursor
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.core.charts import Chart, ChartAction, ChartRepository, ChartStatus
from tests.core.http.contract import expect_refusal
from tests.support.actors import Actor

moments = st.datetimes(dt.datetime(1, 1, 3), dt.datetime(9999, 12, 29), timezones=st.just(dt.UTC))


@given(moments, st.uuids())
def test_cursor_round_trip(moment: dt.datetime, entity_id: uuid.UUID) -> None:
    cursor = encode_cursor(moment, entity_id)
    assert decode_cursor(cursor) == (moment, entity_id)
    assert len(cursor) <= 200 and cursor.isascii() and cursor == cursor.strip("=")


@given(st.one_of(st.text(max_size=80), st.binary(max_size=80).map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_garbage_is_refused_and_nothing_worse(cursor: str) -> None:
    with pytest.raises(ValidationFailed):
        decode_cursor(cursor)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(json_values)
def test_json_that_is_no_cursor_is_refused(value: Any) -> None:
    cursor = base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")
    with pytest.raises(ValidationFailed):
        decode_cursor(cursor)


@pytest.mark.parametrize(
    "parts",
    [
        ["2026-01-01T00:00:00", str(uuid.uuid4())],
        ["2026-01-01T00:00:00+00:00", "x"],
        ["2026-01-01T00:00:00+00:00", 7],
        [7, str(uuid.uuid4())],
        ["0001-01-01T00:00:00+23:59", str(uuid.uuid4())],
        ["9999-12-31T23:59:59-23:59", str(uuid.uuid4())],
        ["2026-01-01T00:00:00+00:00", str(uuid.uuid4()), "more"],
        ["2026-01-01T00:00:00+00:00"],
        {"a": 1, "b": 2},
        "ab",
        [[], {}],
    ],
)
async def test_almost_a_cursor_is_422(medic: Actor, parts: Any) -> None:
    cursor = base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")
    expect_refusal(await medic.get("/api/v1/probe/charts", params={"cursor": cursor}), 422, "VALIDATION_FAILED")


@pytest.fixture
async def rows(
    charts: None, runtime: Runtime, principal: Principal, admin_connection: asyncpg.Connection
) -> list[tuple[dt.datetime, uuid.UUID]]:
    """Forty rows, of which many share their instant; a third are deleted, a third closed."""
    dice = random.Random(7)  # noqa: S311  # the same rows every time
    start = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    made = []
    async with runtime.unit_of_work(principal) as uow:
        for number in range(40):
            chart = Chart(tenant_id=principal.tenant_id, incident_id=new_id(), number=f"{number:02}")
            await uow.create(chart, ChartAction.OPENED)
            made.append((start + dt.timedelta(microseconds=dice.choice([0, 0, 0, 1, 2, 1_000_000])), chart.id))
    for position, (moment, entity_id) in enumerate(made):
        await admin_connection.execute(
            "UPDATE probe.charts SET created_at = $2, deleted_at = $3, status = $4 WHERE id = $1",
            entity_id,
            moment,
            moment if position % 3 == 0 else None,
            "closed" if position % 3 == 1 else "draft",
        )
    return sorted(made)


async def walk(page_of: Callable[..., Any], limit: int) -> list[uuid.UUID]:
    """All pages from the first to the last; each but the last is full."""
    found: list[uuid.UUID] = []
    cursor = None
    while True:
        page = await page_of(limit=limit, cursor=cursor)
        found += [item.id for item in page.items]
        if page.next_cursor is None:
            assert len(page.items) <= limit
            return found
        assert len(page.items) == limit
        cursor = page.next_cursor


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 26, 27, 40, 200])
@pytest.mark.parametrize("sort", ["created_at", "-created_at"])
async def test_pages_give_every_row_once_in_order(
    rows: list[Any],
    runtime: Runtime,
    principal: Principal,
    limit: int,
    sort: Literal["created_at", "-created_at"],
    admin_connection: asyncpg.Connection,
) -> None:
    deleted = {
        row[0] for row in await admin_connection.fetch("SELECT id FROM probe.charts WHERE deleted_at IS NOT NULL")
    }
    in_order = [entity_id for _, entity_id in (rows if sort == "created_at" else reversed(rows))]
    async with runtime.read_unit_of_work(principal) as uow:
        charts = ChartRepository(uow)

        async def live(**page: Any) -> Any:
            return await charts.list_page(principal.tenant_id, Paging(sort=sort, **page))

        async def everything(**page: Any) -> Any:
            return await charts.list_including_deleted(principal.tenant_id, Paging(sort=sort, **page))

        assert await walk(live, limit) == [entity_id for entity_id in in_order if entity_id not in deleted]
        assert await walk(everything, limit) == in_order


async def test_filter_and_cursor_work_together(rows: list[Any], runtime: Runtime, principal: Principal) -> None:
    async with runtime.read_unit_of_work(principal) as uow:
        charts = ChartRepository(uow)

        async def closed(**page: Any) -> Any:
            return await charts.list_page(principal.tenant_id, Paging(**page), status=ChartStatus.CLOSED, number=None)

        found = await walk(closed, 4)
        assert len(found) == len(set(found)) == 13
        for entity_id in found:
            assert (await charts.get(principal.tenant_id, entity_id)).status is ChartStatus.CLOSED


async def test_row_that_arrives_or_goes_meanwhile_repeats_and_skips_nothing_else(
    rows: list[Any], runtime: Runtime, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    """A keyset page is a place in the order, not a count of rows."""
    async with runtime.read_unit_of_work(principal) as uow:
        first = await ChartRepository(uow).list_including_deleted(principal.tenant_id, Paging(limit=10))
    await admin_connection.execute("DELETE FROM probe.charts WHERE id = $1", first.items[-1].id)
    newest = Chart(tenant_id=principal.tenant_id, incident_id=new_id(), number="newest")
    async with runtime.unit_of_work(principal) as uow:
        await uow.create(newest, ChartAction.OPENED)
        rest = await ChartRepository(uow).list_including_deleted(
            principal.tenant_id, Paging(limit=200, cursor=first.next_cursor)
        )
    newest_first = [entity_id for _, entity_id in reversed(rows)]
    assert [item.id for item in rest.items] == newest_first[10:]


async def test_all_of_a_parent_come_oldest_first(rows: list[Any], runtime: Runtime, principal: Principal) -> None:
    async with runtime.read_unit_of_work(principal) as uow:
        drafts = await ChartRepository(uow).list_all(principal.tenant_id, status=ChartStatus.DRAFT)
        assert [(chart.created_at, chart.id) for chart in drafts] == sorted(
            (chart.created_at, chart.id) for chart in drafts
        )
        assert len(drafts) == 13
        with pytest.raises(TypeError, match="has no filter patient_name"):
            await ChartRepository(uow).list_all(principal.tenant_id, patient_name="x")
        with pytest.raises(TypeError, match="has no filter tenant"):
            await ChartRepository(uow).list_page(principal.tenant_id, Paging(), tenant="x")


async def test_pages_over_http(rows: list[Any], medic: Actor) -> None:
    found: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": 9} | ({} if cursor is None else {"cursor": cursor})
        page = await medic.expect(200, "GET", "/api/v1/probe/charts", params=params)
        assert set(page) == {"items", "next_cursor"}
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(found) == len(set(found)) == 26
    assert len((await medic.expect(200, "GET", "/api/v1/probe/charts"))["items"]) == 26, "fifty unless asked"


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": "0"}, "query.limit"),
        ({"limit": "201"}, "query.limit"),
        ({"limit": "many"}, "query.limit"),
        ({"sort": "number"}, "query.sort"),
        ({"cursor": "x" * 201}, "query.cursor"),
    ],
    ids=str,
)
async def test_bounds_of_a_page_are_kept_and_named(medic: Actor, params: dict[str, str], field: str) -> None:
    answer = await medic.get("/api/v1/probe/charts", params=params)
    assert [problem["field"] for problem in expect_refusal(answer, 422, "VALIDATION_FAILED")["problems"]] == [field]


async def test_page_is_asked_for_beside_filters(rows: list[Any], medic: Actor) -> None:
    """The page is a model and the filter is not: FastAPI reads both from the same query string."""
    url = "/api/v1/probe/charts"
    every = (await medic.expect(200, "GET", url, params={"limit": 200}))["items"]
    [found] = (await medic.expect(200, "GET", url, params={"limit": 5, "number": every[3]["number"]}))["items"]
    assert found == every[3]
    oldest = await medic.expect(200, "GET", url, params={"limit": 5, "sort": "created_at"})
    assert oldest["items"] == every[:-6:-1] and oldest["next_cursor"] is not None


def test_only_a_page_with_more_behind_it_has_a_cursor() -> None:
    rows = [{"created_at": dt.datetime(2026, 1, day, tzinfo=dt.UTC), "export_id": uuid.uuid4()} for day in range(1, 5)]
    paging = Paging(limit=3)
    shown, cursor = paging.split(rows, "export_id")
    assert shown == rows[:3] and cursor is not None
    after = Paging(limit=3, cursor=cursor)
    assert after.after == (rows[2]["created_at"], rows[2]["export_id"])
    assert after.values() == {"limit": 4, "after_at": rows[2]["created_at"], "after_id": rows[2]["export_id"]}
    assert paging.split(rows[:3], "export_id") == (rows[:3], None) and paging.values() == {"limit": 4}
    assert paging.split([]) == ([], None)


def test_sort_says_the_direction_and_the_default_of_a_list_is_its_own() -> None:
    assert (Paging().ascending, OldestFirst().ascending) == (False, True)
    assert (Paging(sort="created_at").ascending, OldestFirst(sort="-created_at").ascending) == (True, False)
