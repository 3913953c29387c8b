"""Lists: every row once in either direction, filters, bounds, and a constant number of statements."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import orjson
import pytest

from app.core.db.uow import ReadUnitOfWork
from app.core.runtime import Runtime
from app.ems.public import get_patient_charts
from tests.ems.charts import CHILDREN, INCIDENT, INCIDENTS, VITAL, Chart, Kind
from tests.support.actors import Actor, Agency


async def pages(actor: Actor, url: str, limit: int, **query: Any) -> list[list[str]]:
    """The ids of every page, following the cursors to the end."""
    found: list[list[str]] = []
    cursor: str | None = None
    while cursor is not None or not found:
        asked = {"limit": limit, **query, **({"cursor": cursor} if cursor else {})}
        page = await actor.expect(200, "GET", url, params=asked)
        found.append([item["id"] for item in page["items"]])
        assert len(found) < 400, "the cursor leads in a circle"
        cursor = page["next_cursor"]
    return found


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 200])
async def test_pages_in_both_directions(chart: Chart, limit: int) -> None:
    made = [(await chart.add(VITAL))["id"] for _ in range(6)]
    for sort, wanted in (("-created_at", made[::-1]), ("created_at", made)):
        found = await pages(chart.writer, chart.at(VITAL), limit, sort=sort)
        assert [entry for page in found for entry in page] == wanted
        assert all(len(page) == limit for page in found[:-1])
        assert 1 <= len(found[-1]) <= limit


@pytest.mark.parametrize("sort", ["created_at", "-created_at"])
async def test_rows_made_at_the_same_instant_are_all_listed(
    chart: Chart, admin_connection: asyncpg.Connection, sort: str
) -> None:
    """Ties are told apart by id."""
    made = {(await chart.add(VITAL))["id"] for _ in range(7)}
    await admin_connection.execute("UPDATE vitals SET created_at = now() WHERE incident_id = $1::text::uuid", chart.id)
    found = [entry for page in await pages(chart.writer, chart.at(VITAL), 2, sort=sort) for entry in page]
    assert (len(found), set(found)) == (7, made)


async def test_each_row_once_while_others_are_made(agency: Agency) -> None:
    """What was there when paging began is listed exactly once, whatever is created meanwhile."""
    made = [(await Chart.open(agency)).id for _ in range(12)]
    stop = asyncio.Event()

    async def keep_creating() -> None:
        while not stop.is_set():
            await agency.partner.expect(201, "POST", INCIDENTS, json=dict(INCIDENT.body))

    writers = [asyncio.create_task(keep_creating()) for _ in range(3)]
    try:
        found = await pages(agency.medic, INCIDENTS, 2, sort="-created_at")
    finally:
        stop.set()
        await asyncio.gather(*writers)
    listed = [entry for page in found for entry in page]
    assert [entry for entry in listed if entry in made] == made[::-1]
    assert len(set(listed)) == len(listed)


BAD_QUERIES = (
    "limit=0", "limit=-1", "limit=201", "limit=x", "limit=1.5", "limit=9223372036854775808", "sort=updated_at", "sort=",
    "cursor=x", "cursor=", "include_deleted=perhaps",
)  # fmt: skip


@pytest.mark.parametrize("kind", [INCIDENT, *CHILDREN], ids=lambda kind: kind.noun)
async def test_bounds(chart: Chart, kind: Kind) -> None:
    url = INCIDENTS if kind is INCIDENT else chart.at(kind)
    for query in BAD_QUERIES:
        refused = await chart.agency.admin.expect(422, "GET", f"{url}?{query}")
        assert refused["error"]["code"] == "VALIDATION_FAILED"


async def test_a_forged_cursor(agency: Agency) -> None:
    for content in (
        1, [], ["2026-03-01T10:00:00+00:00"], ["2026-03-01T10:00:00", str(uuid.uuid4())], ["x", str(uuid.uuid4())],
        ["2026-03-01T10:00:00+00:00", "x"], ["2026-03-01T10:00:00+00:00", 1], [1, str(uuid.uuid4())], {"a": 1, "b": 2},
        ["0001-01-01T00:00:00+14:00", str(uuid.uuid4())], ["9999-12-31T23:59:59-14:00", str(uuid.uuid4())], None,
    ):  # fmt: skip
        cursor = base64.urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")
        refused = await agency.medic.expect(422, "GET", INCIDENTS, params={"cursor": cursor})
        assert refused["error"]["details"]["problems"][0]["field"] == "cursor"


async def test_a_cursor_shows_nothing_of_another_agency(
    agency: Agency, chart: Chart, found: Callable[[], Awaitable[Agency]]
) -> None:
    other = await found()
    for _ in range(3):
        await Chart.open(other)
    page = await other.medic.expect(200, "GET", INCIDENTS, params={"limit": 1})
    seen = await agency.medic.expect(200, "GET", INCIDENTS, params={"limit": 200, "cursor": page["next_cursor"]})
    assert {item["id"] for item in seen["items"]} <= {chart.id}


async def test_filters_of_the_queue(agency: Agency) -> None:
    draft = await Chart.open(agency, incident_number="26-000100")
    review = await Chart.open(agency, "ready_for_review", incident_number="26-000200")
    mine = await Chart.open(agency, author="partner", incident_number="26-000200")

    async def listed(**query: Any) -> set[str]:
        return {entry for page in await pages(agency.supervisor, INCIDENTS, 200, **query) for entry in page}

    assert await listed() == {draft.id, review.id, mine.id}
    assert await listed(status="ready_for_review") == {review.id}
    assert await listed(status=["ready_for_review", "locked"]) == {review.id}
    assert await listed(status=["ready_for_review", "draft", "draft"]) == {draft.id, review.id, mine.id}
    assert await listed(status="locked") == set()
    assert await listed(incident_number="26-000200") == {review.id, mine.id}
    assert await listed(incident_number="26-000200", status="draft") == {mine.id}
    assert await listed(created_by=mine.head["created_by"]) == {mine.id}
    assert await listed(created_by=str(uuid.uuid4())) == set()
    assert await listed(incident_number="' OR 1=1 --") == set()
    for query in ("status=closed", "status=", "created_by=me", "incident_number=", "incident_number=%00"):
        await agency.supervisor.expect(422, "GET", f"{INCIDENTS}?{query}")


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The statements that units of work send meanwhile."""
    sent: list[str] = []
    for name in ("fetch", "fetch_row"):
        original = getattr(ReadUnitOfWork, name)

        async def counting(self: Any, statement: Any, values: Any, _original: Any = original) -> Any:
            sent.append(statement.sql)
            return await _original(self, statement, values)

        monkeypatch.setattr(ReadUnitOfWork, name, counting)
    yield sent
    monkeypatch.undo()


@pytest.mark.parametrize("kind", [INCIDENT, *CHILDREN], ids=lambda kind: kind.noun)
async def test_a_list_takes_as_many_statements_however_long_it_is(
    chart: Chart, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    url = INCIDENTS if kind is INCIDENT else chart.at(kind)
    counts = []
    for _ in range(2):
        with counted(monkeypatch) as sent:
            page = await chart.writer.expect(200, "GET", url)
        counts.append((len(sent), len(page["items"])))
        for _ in range(8):
            await chart.ready(kind)
            await chart.writer.expect(201, "POST", url, json=chart.body(kind))
    assert counts[0][0] == counts[1][0] == {VITAL.noun: 3}.get(kind.noun, 2)
    assert counts[1][1] == counts[0][1] + 8


async def test_a_whole_chart_takes_seven_statements(
    chart: Chart, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in (*CHILDREN, *CHILDREN):
        await chart.add(kind)
    principal = runtime.tokens.verify(chart.writer.token or "")
    with counted(monkeypatch) as sent:
        async with runtime.read_unit_of_work(principal) as uow:
            charts = await get_patient_charts(uow, uuid.UUID(chart.id))
    assert (len(charts), len(sent)) == (3, 7)
