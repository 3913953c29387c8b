"""Two writers at once: one wins, the other is told; and no entry lands in a chart that has been closed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.ems.charting.schemas import IncidentTransitionRequest
from app.ems.charting.service import IncidentService
from app.ems.incidents.repository import IncidentRepository
from tests.ems.charts import CHILDREN, CREW, INCIDENT, KINDS, PATIENT, VITAL, Chart, Kind
from tests.ems.evidence import Evidence
from tests.support.actors import Actor, Agency

_WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'fusionems-app' AND wait_event_type = 'Lock'"
)


async def until_somebody_waits(connection: asyncpg.Connection, request: asyncio.Task[Any]) -> None:
    """Until a request of the app waits for a row lock; `request` must not end before."""
    while not await connection.fetchval(_WAITING):
        assert not request.done(), f"did not wait: {request.result().text}"
        await asyncio.sleep(0.005)


def started(request: Coroutine[Any, Any, httpx.Response]) -> asyncio.Task[httpx.Response]:
    return asyncio.create_task(request)


def principal_of(runtime: Runtime, actor: Actor) -> Principal:
    return runtime.tokens.verify(actor.token or "")


@pytest.mark.parametrize("writers", [2, 20])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_one_of_many_equal_versions_wins(chart: Chart, evidence: Evidence, kind: Kind, writers: int) -> None:
    """The winner's own repetitions may come late enough to be answered as such."""
    entry = chart.head if kind is INCIDENT else await chart.add(kind)
    before = (await evidence.records(entry["id"])).counts()
    actors = [chart.agency.medic, chart.agency.partner]
    answers = await asyncio.gather(
        *(
            actors[number % 2].patch(chart.at(kind, entry), json={"version": 1, **kind.change})
            for number in range(writers)
        )
    )
    assert {answer.status_code for answer in answers} <= {200, 409}
    won = [number for number, answer in enumerate(answers) if answer.status_code == 200]
    assert len({number % 2 for number in won}) == 1, "the same change of another person is a conflict"
    winner = answers[won[0]].json()
    assert [answers[number].json() for number in won] == [winner] * len(won)
    for answer in answers:
        if answer.status_code == 409:
            error = answer.json()["error"]
            assert (error["code"], error["details"]["server_version"]) == ("CONFLICT", 2)
            assert error["details"]["updated_at"][:26] == winner["updated_at"][:26]
    assert (await evidence.records(entry["id"])).counts() == tuple(count + 1 for count in before)
    assert await chart.writer.expect(200, "GET", chart.at(kind, entry)) == winner


async def test_one_of_many_transitions_wins(chart: Chart, evidence: Evidence) -> None:
    answers = await asyncio.gather(
        *(chart.writer.post(f"{chart.url}/transitions", json={"action": "start", "version": 1}) for _ in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
    codes = {answer.json()["error"]["code"] for answer in answers if answer.status_code == 409}
    assert codes == {"INVALID_TRANSITION"}
    assert (await evidence.records(chart.id)).counts() == (2, 2, 2)


@asynccontextmanager
async def transition_in_flight(runtime: Runtime, chart: Chart, action: str, who: str) -> AsyncIterator[None]:
    """The service has fired `action` when the block is entered; it commits when the block is left."""
    async with runtime.unit_of_work(principal_of(runtime, chart.agency.actors[who])) as uow:
        given = IncidentTransitionRequest.model_validate({"action": action, "version": chart.version})
        await IncidentService(uow).transition(uuid.UUID(chart.id), given)
        yield


def writes_of(chart: Chart, kind: Kind, live: Any, deleted: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """Every kind of write of an entry, as (method, address, options)."""
    url = chart.at(kind, live)
    return [
        ("POST", chart.at(kind), {"json": chart.body(kind)}),
        ("PATCH", url, {"json": {"version": 1, **kind.change}}),
        ("DELETE", url, {"params": {"version": 1}}),
        ("POST", f"{chart.at(kind, deleted)}/restore", {"json": {"version": 2}}),
    ]


@pytest.mark.parametrize("number", range(4), ids=["create", "patch", "delete", "restore"])
@pytest.mark.parametrize("kind", CHILDREN, ids=lambda kind: kind.noun)
async def test_a_write_waits_for_the_transition_in_flight_and_obeys_it(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection, kind: Kind, number: int
) -> None:
    chart = await Chart.open(agency)
    live, deleted = await chart.add(kind), await chart.add(kind)
    await chart.writer.expect(204, "DELETE", chart.at(kind, deleted), params={"version": 1})
    await chart.advance("in_progress")
    await chart.ready(kind)
    method, url, options = writes_of(chart, kind, live, deleted)[number]
    async with transition_in_flight(runtime, chart, "submit_for_review", "medic"):
        request = started(agency.admin.request(method, url, **options))
        await until_somebody_waits(admin_connection, request)
    refused = await request
    if number == 0 and kind not in (PATIENT, CREW):
        assert (refused.status_code, refused.json()["status"]) == (202, "pending"), refused.text
        return
    assert refused.status_code == 409, refused.text
    assert refused.json()["error"]["details"] == {"status": "ready_for_review"}


async def test_an_amendment_waits_for_the_lock_in_flight(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    chart = await Chart.open(agency, "completed")
    body = {"version": 1, **PATIENT.change, "reason": "Name."}
    async with transition_in_flight(runtime, chart, "lock", "admin"):
        request = started(agency.admin.patch(chart.at(PATIENT, chart.patient), json=body))
        await until_somebody_waits(admin_connection, request)
    assert (await request).json()["error"]["details"] == {"status": "locked"}


async def test_a_transition_waits_for_the_write_in_flight(
    chart: Chart, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    """The other way round: who writes an entry holds the chart open until it has committed."""
    await chart.advance("in_progress")
    async with runtime.unit_of_work(principal_of(runtime, chart.agency.medic)) as uow:
        await IncidentRepository(uow).get_for_share(uow.tenant_id, uuid.UUID(chart.id))
        body = {"action": "submit_for_review", "version": chart.version}
        request = started(chart.writer.post(f"{chart.url}/transitions", json=body))
        await until_somebody_waits(admin_connection, request)
    assert (await request).json()["status"] == "ready_for_review"


async def test_no_vital_is_recorded_after_the_chart_was_closed(agency: Agency, evidence: Evidence) -> None:
    """Vitals and the end of charting at once: whoever was let in has a place in the order of events before the end."""
    outcomes = set()
    for _ in range(8):
        chart = await Chart.open(agency, "in_progress")
        vitals = [chart.writer.post(chart.at(VITAL), json=chart.body(VITAL)) for _ in range(6)]
        vitals.insert(
            3,
            chart.writer.post(
                f"{chart.url}/transitions", json={"action": "submit_for_review", "version": chart.version}
            ),
        )
        answers = await asyncio.gather(*vitals)
        closed = answers.pop(3)
        assert closed.status_code == 200
        outcomes |= {answer.status_code for answer in answers}
        [end] = [
            event["sequence"]
            for event in (await evidence.records(chart.id)).outbox
            if event["payload"].get("status") == "ready_for_review"
        ]
        for answer in answers:
            if answer.status_code == 201:
                [event] = (await evidence.records(answer.json()["id"])).outbox
                assert event["sequence"] < end
            else:
                assert answer.json()["status"] == "pending"
        listed = await chart.writer.expect(200, "GET", chart.at(VITAL))
        assert len(listed["items"]) == sum(answer.status_code == 201 for answer in answers)
        late = await chart.writer.expect(200, "GET", f"{chart.url}/late-entries")
        assert len(late["items"]) == sum(answer.status_code == 202 for answer in answers)
    assert outcomes <= {201, 202}
