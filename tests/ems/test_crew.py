"""The crew of a call: from the agency's personnel, once each, as they were when they were named."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from app.core.db.uow import UnitOfWork
from app.core.personnel.kind import PERSONNEL
from app.core.personnel.schemas import PersonPatch
from app.core.reference.service import ReferenceService
from app.core.runtime import Runtime
from tests.core.reference.records import PERSON
from tests.ems.charts import CREW, Chart
from tests.ems.evidence import Evidence
from tests.ems.test_races import until_somebody_waits
from tests.support.actors import Agency

PERSONNEL_URL = "tenants/current/personnel"
PARAMEDIC, EMT = "9925007", "9925005"
REASON = "The second medic was missing."


def problems(answer: Any) -> list[tuple[str, str]]:
    return [(item["field"], item["code"]) for item in answer["error"]["details"]["problems"]]


async def promote(agency: Agency, person: dict[str, Any], **fields: Any) -> Any:
    body = {"version": person["version"], **fields}
    return await agency.admin.expect(200, "PATCH", f"{PERSONNEL_URL}/{person['id']}", json=body)


async def move(agency: Agency, person: dict[str, Any], action: str) -> Any:
    body = {"action": action, "version": person["version"]}
    return await agency.admin.expect(200, "POST", f"{PERSONNEL_URL}/{person['id']}/transitions", json=body)


async def test_licence_and_level_stay_those_of_the_day(agency: Agency, evidence: Evidence) -> None:
    """Through a promotion and a new licence: of the entry, of its later versions, and of the chart as it stood."""
    chart = await Chart.open(agency)
    person = await PERSON.add(agency.admin, licensure_level=EMT, licensure_id="E-1")
    member = await chart.add(CREW, personnel_id=person["id"])
    assert (member["licensure_id"], member["licensure_level"]) == ("E-1", EMT)
    moment = (await evidence.connection.fetchval("SELECT clock_timestamp()")).isoformat()
    before = await evidence.digest(agency.tenant_id)

    await promote(agency, person, licensure_level=PARAMEDIC, licensure_id="P-9", licensure_state="IL")

    assert await evidence.digest(agency.tenant_id) == before
    assert await chart.writer.expect(200, "GET", chart.at(CREW, member)) == member
    revised = await chart.revise(CREW, member, response_roles=["2403001"])
    assert (revised["licensure_id"], revised["licensure_level"]) == ("E-1", EMT)
    then = await chart.writer.expect(200, "GET", f"{chart.url}/history", params={"as_of": moment})
    assert then["crew"] == [member]
    later = await (await Chart.open(agency)).add(CREW, personnel_id=person["id"])
    assert (later["licensure_id"], later["licensure_level"]) == ("P-9", PARAMEDIC)


async def test_the_client_does_not_say_who_somebody_is(chart: Chart, evidence: Evidence) -> None:
    """Neither what the person's record says, nor, once named, whose entry it is."""
    member = await chart.add(CREW)
    await chart.ready(CREW)
    before = await evidence.digest(chart.agency.tenant_id)
    for fields in ({"licensure_id": "X-1"}, {"licensure_level": PARAMEDIC}):
        refused = await chart.add(CREW, status=422, personnel_id=chart.person["id"], **fields)
        assert problems(refused) == [(next(iter(fields)), "extra_forbidden")]
        assert problems(await chart.revise(CREW, member, status=422, **fields)) == problems(refused)
    await chart.revise(CREW, member, status=422, personnel_id=chart.person["id"])
    written = {"eCrew.01": [{"value": "X-1"}]}
    refused = await chart.add(CREW, status=422, personnel_id=chart.person["id"], elements=written)
    assert problems(refused) == [("elements.eCrew.01[0].value", "value_has_a_field")]
    assert await evidence.digest(chart.agency.tenant_id) == before


@pytest.mark.parametrize("code", ["7701001", "7701003", "7701005"])
async def test_a_not_value_stands_instead_of_what_the_record_says(chart: Chart, evidence: Evidence, code: str) -> None:
    marks = [{"not_value": code}]
    member = await chart.add(CREW, elements={"eCrew.01": marks, "eCrew.02": marks})
    assert (member["licensure_id"], member["licensure_level"]) == (None, None)
    assert member["elements"] == {"eCrew.01": marks, "eCrew.02": marks}
    licensed = await chart.add(CREW, response_roles=None, elements={"eCrew.03": marks})
    assert (licensed["licensure_level"], licensed["elements"]) == (PARAMEDIC, {"eCrew.03": marks})
    before = await evidence.digest(chart.agency.tenant_id)
    for element_id, column in (("eCrew.01", "licensure_id"), ("eCrew.02", "licensure_level")):
        refused = await chart.revise(CREW, licensed, status=422, elements={element_id: marks})
        assert problems(refused) == [(column, "value_and_reason")]
    refused = await chart.revise(CREW, licensed, status=422, response_roles=["2403001"])
    assert problems(refused) == [("response_roles", "value_and_reason")]
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_an_unlicensed_driver(agency: Agency) -> None:
    """Nothing is invented: no number, until the crew says why there is none."""
    chart = await Chart.open(agency)
    driver = {"last_name": "Sample", "first_name": "Robin", "licensure_level": "9925025"}
    person = await agency.admin.expect(201, "POST", PERSONNEL_URL, json=driver)
    member = await chart.add(CREW, personnel_id=person["id"], response_roles=["2403001", "2403003"])
    assert (member["licensure_id"], member["licensure_level"], member["elements"]) == (None, "9925025", {})
    marked = await chart.revise(CREW, member, elements={"eCrew.01": [{"not_value": "7701001"}]})
    assert marked["elements"] == {"eCrew.01": [{"not_value": "7701001"}]}


async def test_what_stands_beside_the_roles(chart: Chart, evidence: Evidence) -> None:
    """A correlation id each, by position, and never more of them than roles."""
    tags = [{"correlation_id": "scene"}, {"correlation_id": "transport"}]
    member = await chart.add(CREW, elements={"eCrew.03": tags})
    assert member["elements"] == {"eCrew.03": tags}
    before = await evidence.digest(chart.agency.tenant_id)
    for fields, code in (
        ({"response_roles": ["2403001"]}, "value_missing"),
        ({"response_roles": None}, "value_missing"),
        ({"elements": {"eCrew.03": [{}, {"not_value": "7701003"}]}}, "value_and_reason"),
    ):
        assert ("response_roles", code) in problems(await chart.revise(CREW, member, status=422, **fields))
    assert await evidence.digest(chart.agency.tenant_id) == before
    cleared = await chart.revise(CREW, member, response_roles=None, elements={"eCrew.03": None})
    assert (cleared["response_roles"], cleared["elements"]) == (None, {})


async def test_a_person_is_on_a_call_once(chart: Chart, evidence: Evidence) -> None:
    """By a single request, a sync or a restore; again after the first entry is deleted, and on every other call."""
    first = await chart.add(CREW)
    again = chart.body(CREW)
    before = await evidence.digest(chart.agency.tenant_id)
    refused = await chart.writer.expect(409, "POST", chart.at(CREW), json=again)
    assert refused["error"]["code"] == "ALREADY_EXISTS"
    assert refused["error"]["details"] == {"field": "personnel_id"}
    change = {"kind": "crew_member", "op": "create", "id": str(uuid.uuid4()), "data": again}
    synced = await chart.writer.expect(200, "POST", f"{chart.url}/sync", json={"changes": [change]})
    assert [(one["outcome"], one["status"]) for one in synced["results"]] == [("refused", 409)]
    assert await evidence.digest(chart.agency.tenant_id) == before

    await (await Chart.open(chart.agency)).add(CREW, personnel_id=again["personnel_id"])
    await chart.writer.expect(204, "DELETE", chart.at(CREW, first), params={"version": 1})
    second = await chart.writer.expect(201, "POST", chart.at(CREW), json=again)
    before = await evidence.digest(chart.agency.tenant_id)
    restore = f"{chart.at(CREW, first)}/restore"
    await chart.agency.admin.expect(409, "POST", restore, json={"version": 2})
    assert await evidence.digest(chart.agency.tenant_id) == before
    await chart.writer.expect(204, "DELETE", chart.at(CREW, second), params={"version": 1})
    restored = await chart.agency.admin.expect(200, "POST", restore, json={"version": 2})
    assert {name: restored[name] for name in again} == {name: first[name] for name in again}


@pytest.mark.parametrize("writers", [2, 10])
async def test_one_of_many_who_name_the_same_person_wins(chart: Chart, evidence: Evidence, writers: int) -> None:
    """Two tablets of one crew, and the admin who restores what was deleted."""
    gone = await chart.add(CREW)
    await chart.writer.expect(204, "DELETE", chart.at(CREW, gone), params={"version": 1})
    actors = [chart.agency.medic, chart.agency.partner]
    answers = await asyncio.gather(
        chart.agency.admin.post(f"{chart.at(CREW, gone)}/restore", json={"version": 2}),
        *(actors[number % 2].post(chart.at(CREW), json=chart.body(CREW)) for number in range(writers)),
    )
    won = [answer for answer in answers if answer.status_code in (200, 201)]
    assert len(won) == 1
    assert all(answer.status_code == 409 for answer in answers if answer not in won)
    listed = await chart.writer.expect(200, "GET", chart.at(CREW))
    assert [item["id"] for item in listed["items"]] == [won[0].json()["id"]]
    created = [answer.json()["id"] for answer in won if answer.status_code == 201]
    for entry_id in created:
        assert (await evidence.records(entry_id)).counts() == (1, 1, 1)
    assert (await evidence.records(gone["id"])).counts() == ((2, 2, 2) if created else (3, 3, 3))


async def test_who_is_not_there_to_be_named(
    chart: Chart, found: Callable[[], Awaitable[Agency]], evidence: Evidence
) -> None:
    """Another agency's person, a deleted one and a user's id answer like an id of nobody."""
    foreign = await PERSON.add((await found()).admin)
    deleted = await PERSON.add(chart.agency.admin)
    await chart.agency.admin.expect(204, "DELETE", f"{PERSONNEL_URL}/{deleted['id']}", params={"version": 1})
    before = await evidence.digest(chart.agency.tenant_id)
    answers = []
    for person_id in (str(uuid.uuid4()), foreign["id"], deleted["id"], chart.head["created_by"]):
        refused = await chart.add(CREW, status=422, personnel_id=person_id)
        assert problems(refused) == [("personnel_id", "unknown_person")]
        refused["error"].pop("trace_id")
        answers.append(refused)
    assert all(answer == answers[0] for answer in answers)
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_who_has_left_is_not_named_and_not_forgotten(agency: Agency, evidence: Evidence) -> None:
    """An entry outlives the person's leaving and deletion; a late entry wants the person back for as long."""
    chart = await Chart.open(agency)
    person = await PERSON.add(agency.admin)
    member = await chart.add(CREW, personnel_id=person["id"])
    person = await move(agency, person, "deactivate")
    late = await Chart.open(agency)
    before = await evidence.digest(agency.tenant_id)
    refused = await late.add(CREW, status=422, personnel_id=person["id"])
    assert problems(refused) == [("personnel_id", "inactive_person")]
    assert await evidence.digest(agency.tenant_id) == before
    person = await move(agency, person, "reactivate")
    await late.add(CREW, personnel_id=person["id"])
    person = await move(agency, person, "deactivate")

    member = await chart.revise(CREW, member, response_roles=["2403005"])
    url = f"{PERSONNEL_URL}/{person['id']}"
    await agency.admin.expect(204, "DELETE", url, params={"version": person["version"]})
    member = await chart.revise(CREW, member, response_roles=["2403007"])
    await chart.writer.expect(204, "DELETE", chart.at(CREW, member), params={"version": member["version"]})
    body = {"version": member["version"] + 1}
    restored = await agency.admin.expect(200, "POST", f"{chart.at(CREW, member)}/restore", json=body)
    assert (restored["personnel_id"], restored["response_roles"]) == (person["id"], ["2403007"])


async def test_a_member_is_named_after_the_promotion_in_flight(
    chart: Chart, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    """Whoever is named is held: the entry shows a licence that the person had, never half of two."""
    await chart.ready(CREW)
    person = chart.person
    admin = runtime.tokens.verify(chart.agency.admin.token or "")
    promotion = {"version": 1, "licensure_level": "9925033", "licensure_id": "CCP-1"}
    uow: UnitOfWork
    async with runtime.unit_of_work(admin) as uow:
        await ReferenceService(uow, PERSONNEL).revise(uuid.UUID(person["id"]), PersonPatch.model_validate(promotion))
        request = asyncio.create_task(chart.writer.post(chart.at(CREW), json=chart.body(CREW)))
        await until_somebody_waits(admin_connection, request)
    member = (await request).json()
    assert (member["licensure_id"], member["licensure_level"]) == ("CCP-1", "9925033")


async def test_a_member_added_to_a_completed_chart_is_an_amendment(agency: Agency) -> None:
    chart = await Chart.open(agency, "completed")
    await chart.ready(CREW)
    body = chart.body(CREW)
    await agency.medic.expect(409, "POST", chart.at(CREW), json=body)
    added = await agency.admin.expect(201, "POST", chart.at(CREW), json={**body, "reason": REASON})
    page = await agency.biller.expect(200, "GET", f"{chart.url}/amendments")
    [amendment] = page["items"]
    assert (amendment["entity"], amendment["entity_id"]) == ("crew_member", added["id"])
    shown = {change["field"]: change["after"] for change in amendment["changes"] if change["after"] is not None}
    assert {name: shown[name] for name in ("personnel_id", "licensure_level", "response_roles")} == {
        "personnel_id": chart.person["id"],
        "licensure_level": PARAMEDIC,
        "response_roles": body["response_roles"],
    }
