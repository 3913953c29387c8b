"""The vehicle of a call: one of the agency's, as it was when the chart named it."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from app.core.runtime import Runtime
from app.ems.elements import TARGET_BUILD, load_dictionary
from app.nemsis.reader import read_document
from scripts.demo_chart import CALL
from tests.architecture.queries import counted
from tests.core.reference.records import VEHICLE
from tests.ems.charts import INCIDENT, INCIDENTS, PATIENT, Chart
from tests.ems.evidence import Evidence
from tests.ems.test_crew import problems
from tests.journeys.judges import xsd_errors
from tests.journeys.test_interventions_exported import documents
from tests.support.actors import Agency

Body = dict[str, Any]
VEHICLES_URL = VEHICLE.path
UNIT = ("eResponse.07", "eResponse.13", "eResponse.14")


async def revise(agency: Agency, vehicle: Body, **fields: Any) -> Body:
    body = {"version": vehicle["version"], **fields}
    answer: Body = await agency.admin.expect(200, "PATCH", f"{VEHICLES_URL}/{vehicle['id']}", json=body)
    return answer


async def move(agency: Agency, vehicle: Body, action: str) -> Body:
    body = {"action": action, "version": vehicle["version"]}
    answer: Body = await agency.admin.expect(200, "POST", f"{VEHICLES_URL}/{vehicle['id']}/transitions", json=body)
    return answer


def shown(vehicle: Body) -> Body:
    return {name: vehicle[name] for name in ("unit_number", "call_sign", "vehicle_type", "capability")}


async def test_the_chart_keeps_what_the_vehicle_was(agency: Agency, evidence: Evidence) -> None:
    """Through a new number, retirement and deletion of the vehicle: every later version of the chart says the same."""
    vehicle = await VEHICLE.add(agency.admin, call_sign="Medic 7")
    chart = await Chart.open(agency, vehicle_id=vehicle["id"])
    assert (chart.head["vehicle_id"], chart.head["vehicle"]) == (vehicle["id"], shown(vehicle))
    before = await evidence.digest(agency.tenant_id)

    changed = await revise(agency, vehicle, unit_number="X-99", call_sign=None, capability="2207017")
    retired = await move(agency, await move(agency, changed, "take_out_of_service"), "retire")
    path = f"{VEHICLES_URL}/{vehicle['id']}"
    await agency.admin.expect(204, "DELETE", path, params={"version": retired["version"]})

    assert await evidence.digest(agency.tenant_id) == before
    assert await chart.reload() == await chart.revise(INCIDENT, chart.head, vehicle_id=vehicle["id"])
    revised = await chart.revise(INCIDENT, chart.head, location_street="1 Main St")
    assert (revised["vehicle_id"], revised["vehicle"]) == (vehicle["id"], shown(vehicle))


async def test_another_vehicle_and_none(chart: Chart) -> None:
    first, second = [await VEHICLE.add(chart.agency.admin, call_sign=sign) for sign in ("Medic 1", "Medic 2")]
    for vehicle in (first, second, first):
        chart.head = await chart.revise(INCIDENT, chart.head, vehicle_id=vehicle["id"])
        assert chart.head["vehicle"] == shown(vehicle)
    parted = await chart.revise(INCIDENT, chart.head, vehicle_id=None)
    assert (parted["vehicle_id"], parted["vehicle"]) == (None, None)


async def test_which_vehicles_a_call_may_name(
    chart: Chart, found: Callable[[], Awaitable[Agency]], evidence: Evidence
) -> None:
    """One out of service may have been on the call; another agency's answers like one that does not exist."""
    agency, stranger = chart.agency, await found()
    foreign = await VEHICLE.add(stranger.admin)
    gone = await VEHICLE.add(agency.admin)
    await agency.admin.expect(204, "DELETE", f"{VEHICLES_URL}/{gone['id']}", params={"version": 1})
    waiting = await move(agency, await VEHICLE.add(agency.admin), "take_out_of_service")
    retired = await move(agency, await move(agency, await VEHICLE.add(agency.admin), "take_out_of_service"), "retire")
    refusals = [(vehicle["id"], "unknown_vehicle") for vehicle in (foreign, gone, {"id": str(uuid.uuid4())})]
    before = await evidence.digest(agency.tenant_id)
    for vehicle_id, code in (*refusals, (retired["id"], "retired_vehicle")):
        refused = await chart.revise(INCIDENT, chart.head, status=422, vehicle_id=vehicle_id)
        assert problems(refused) == [("vehicle_id", code)]
        body = {**INCIDENT.body, "vehicle_id": vehicle_id}
        assert problems(await chart.writer.expect(422, "POST", INCIDENTS, json=body)) == [("vehicle_id", code)]
        change = {"kind": "incident", "op": "patch", "id": chart.id, "version": 1, "data": {"vehicle_id": vehicle_id}}
        synced = await chart.writer.expect(200, "POST", f"{chart.url}/sync", json={"changes": [change]})
        assert [(one["outcome"], one["status"]) for one in synced["results"]] == [("refused", 422)]
    invented = await chart.revise(INCIDENT, chart.head, status=422, vehicle={"unit_number": "X"})
    assert problems(invented) == [("vehicle", "extra_forbidden")]
    assert await evidence.digest(agency.tenant_id) == before
    named = await chart.revise(INCIDENT, chart.head, vehicle_id=waiting["id"])
    assert named["vehicle"] == shown(waiting)


async def test_the_calls_of_a_vehicle(agency: Agency) -> None:
    vehicle, other = await VEHICLE.add(agency.admin), await VEHICLE.add(agency.admin)
    mine = [(await Chart.open(agency, vehicle_id=vehicle["id"])).id for _ in range(2)]
    await Chart.open(agency, vehicle_id=other["id"])
    await Chart.open(agency)
    page = await agency.medic.expect(200, "GET", INCIDENTS, params={"vehicle_id": vehicle["id"]})
    assert [item["id"] for item in page["items"]] == mine[::-1]


async def test_an_autosave_asks_for_a_vehicle_only_when_one_is_named(chart: Chart, runtime: Runtime) -> None:
    vehicle = await VEHICLE.add(chart.agency.admin)
    sent = []
    for fields in (
        {"location_street": "1 Main St"},
        {"location_street": "2 Main St", "vehicle_id": None},
        {"vehicle_id": vehicle["id"]},
        {"location_street": "3 Main St", "vehicle_id": vehicle["id"]},
    ):
        async with counted(runtime.database) as statements:
            chart.head = await chart.revise(INCIDENT, chart.head, **fields)
        sent.append(len(statements))
    plain = sent[0]
    assert sent == [plain, plain, plain + 1, plain]


@pytest.mark.parametrize(
    ("record", "charted", "wanted"),
    [
        ({"unit_number": "M-17", "call_sign": "Medic 17"}, {}, ("2207015", "M-17", "Medic 17")),
        ({"unit_number": "M-18"}, {}, ("2207015", "M-18", "M-18")),
        (
            {"unit_number": "M-19"},
            {"eResponse.13": "M19B", "eResponse.14": "Rescue 9"},
            ("2207015", "M19B", "Rescue 9"),
        ),
    ],
)
async def test_the_document_says_which_unit_it_was(
    agency: Agency, shared: Path, record: Body, charted: Body, wanted: tuple[str, ...]
) -> None:
    """The crew's own words come first; the record of the vehicle fills what they leave open."""
    vehicle = await VEHICLE.add(agency.admin, **record)
    elements = {name: value for name, value in CALL.incident["elements"].items() if name not in UNIT}
    elements |= {name: [{"value": value}] for name, value in charted.items()}
    body = {**CALL.incident, "disposition": "4227001", "vehicle_id": vehicle["id"], "elements": elements}
    chart = Chart(agency, "medic", await agency.medic.expect(201, "POST", INCIDENTS, json=body))
    chart.patient = await chart.add(PATIENT, **CALL.patient)
    await revise(agency, vehicle, unit_number="changed since", capability="2207019")

    [document] = await documents(chart, chart.patient)

    assert xsd_errors(document, shared) == []
    [report] = read_document(etree.fromstring(document), load_dictionary(TARGET_BUILD)).reports
    assert tuple(report.elements[name][0].value for name in UNIT) == wanted
    assert (await chart.reload())["elements"] == elements
