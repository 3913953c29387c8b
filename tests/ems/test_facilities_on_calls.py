"""Where patients came from and went to: facilities of the agency, as they were when the chart named them."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from app.core.runtime import Runtime
from app.ems.elements import TARGET_BUILD, load_dictionary
from app.nemsis.content import ReportContent
from app.nemsis.reader import read_document
from scripts.demo_chart import CALL
from tests.architecture.queries import counted
from tests.core.reference.records import FACILITY
from tests.ems.charts import INCIDENT, INCIDENTS, PATIENT, Chart
from tests.ems.evidence import Evidence
from tests.ems.test_crew import problems
from tests.journeys.judges import xsd_errors
from tests.journeys.test_interventions_exported import documents, values
from tests.support.actors import Agency

Body = dict[str, Any]
PICKS = ((INCIDENT, "origin_facility"), (INCIDENT, "destination_facility"), (PATIENT, "destination_facility"))
RECORD = {"id", "version", "created_at", "updated_at", "deleted_at"}
KIDNEY = {
    "name": "Prairie Kidney Center",
    "facility_type": "1701017",
    "billing_letter": "J",
    "designations": None,
    "street": "12 Prairie Road",
    "unit": "Suite 4",
    "zip": "62704",
    "latitude": "39.7721",
    "longitude": "-89.7011",
}


def kept(facility: Body) -> Body:
    return {name: value for name, value in facility.items() if name not in RECORD}


@pytest.mark.parametrize(("kind", "name"), PICKS)
async def test_the_chart_keeps_what_the_facility_was(chart: Chart, evidence: Evidence, kind: Any, name: str) -> None:
    """With billing letter and NPI, through every later change of the record, and after its deletion."""
    agency = chart.agency
    facility = await FACILITY.add(agency.admin)
    entry = chart.head if kind is INCIDENT else chart.patient
    entry = await chart.revise(kind, entry, **{f"{name}_id": facility["id"]})
    assert (entry[f"{name}_id"], entry[name]) == (facility["id"], kept(facility))
    assert (entry[name]["billing_letter"], entry[name]["npi"]) == ("H", "1234567893")
    audited = (await evidence.records(entry["id"])).audit[-1]["changed_fields_json"]
    assert {f"{name}_id", name} <= audited.keys()
    assert facility["id"] not in str(audited) and facility["name"] not in str(audited)
    before = await evidence.digest(agency.tenant_id)

    path, changes = f"{FACILITY.path}/{facility['id']}", {"name": "Renamed", "npi": None, "street": "2 Elsewhere"}
    changed = await agency.admin.expect(200, "PATCH", path, json={"version": 1, **changes})
    await agency.admin.expect(204, "DELETE", path, params={"version": changed["version"]})

    assert await evidence.digest(agency.tenant_id) == before
    assert await chart.writer.expect(200, "GET", chart.at(kind, entry)) == entry
    assert await chart.revise(kind, entry, **{f"{name}_id": facility["id"]}) == entry
    none: Body = {f"{name}_id": None}
    parted = await chart.revise(kind, entry, **none)
    assert (parted[f"{name}_id"], parted[name]) == (None, None)


@pytest.mark.parametrize(("kind", "name"), PICKS)
async def test_which_facilities_a_chart_may_name(
    chart: Chart, found: Callable[[], Awaitable[Agency]], evidence: Evidence, kind: Any, name: str
) -> None:
    """Another agency's answers like a deleted one and like one that does not exist."""
    agency, stranger = chart.agency, await found()
    foreign, gone = await FACILITY.add(stranger.admin), await FACILITY.add(agency.admin)
    await agency.admin.expect(204, "DELETE", f"{FACILITY.path}/{gone['id']}", params={"version": 1})
    entry = chart.head if kind is INCIDENT else chart.patient
    collection = INCIDENTS if kind is INCIDENT else chart.at(kind)
    before = await evidence.digest(agency.tenant_id)
    for facility_id in (foreign["id"], gone["id"], str(uuid.uuid4())):
        fields = {f"{name}_id": facility_id}
        for refused in (
            await chart.revise(kind, entry, status=422, **fields),
            await chart.writer.expect(422, "POST", collection, json={**kind.body, **fields}),
        ):
            assert problems(refused) == [(f"{name}_id", "unknown_facility")]
    invented = await chart.revise(kind, entry, status=422, **{name: {"name": "Invented"}})
    assert problems(invented) == [(name, "extra_forbidden")]
    assert await evidence.digest(agency.tenant_id) == before


async def test_an_autosave_asks_for_a_facility_only_when_one_is_named(chart: Chart, runtime: Runtime) -> None:
    facility = await FACILITY.add(chart.agency.admin)
    sent = []
    for fields in ({"first_name": "Ana"}, {"destination_facility_id": facility["id"]}, {"first_name": "Anna"}):
        async with counted(runtime.database) as statements:
            chart.patient = await chart.revise(PATIENT, chart.patient, **fields)
        sent.append(len(statements))
    plain = sent[0]
    assert sent == [plain, plain + 1, plain]


async def call_between(agency: Agency, patients: list[Body], **incident: Any) -> tuple[Chart, list[Body]]:
    """A call in which nobody types a place: its incident and patients have what `incident` and `patients` say."""
    places = ("location_type", "location_street", "location_city", "location_state", "location_zip", "location_county")
    head = {name: value for name, value in CALL.incident.items() if name not in places}
    body = {**head, "disposition": "4227001", **incident}
    chart = Chart(agency, "medic", await agency.medic.expect(201, "POST", INCIDENTS, json=body))
    person = {name: value for name, value in CALL.patient.items() if not name.startswith("destination_")}
    blank = {"eDisposition.21", "eDisposition.23"}
    person["elements"] = {name: entries for name, entries in person["elements"].items() if name not in blank}
    made = []
    for fields in patients:
        elements = person["elements"] | fields.get("elements", {})
        made.append(await chart.add(PATIENT, **{**person, **fields, "elements": elements}))
    return chart, made


def report_of(document: bytes, shared: Path) -> ReportContent:
    assert xsd_errors(document, shared) == []
    [report] = read_document(etree.fromstring(document), load_dictionary(TARGET_BUILD)).reports
    return report


def said(report: ReportContent, *element_ids: str) -> dict[str, Any]:
    """The values of elements, or their NOT values; a list of several, None for an absent one."""
    shown: dict[str, Any] = {}
    for element_id in element_ids:
        given = [entry.value or entry.not_value for entry in report.elements.get(element_id, ())]
        shown[element_id] = None if not given else given[0] if len(given) == 1 else given
    return shown


DESTINATION = tuple(f"eDisposition.{number}" for number in ("01", "02", "03", "05", "06", "07", "09", "21", "23"))
SCENE = tuple(f"eScene.{number}" for number in ("09", "10", "11", "13", "15", "16", "18", "19", "21"))


async def test_a_dialysis_ride_is_two_picks(agency: Agency, shared: Path) -> None:
    """From the kidney center to the hospital: the document has names, codes, addresses, types and positions."""
    center, hospital = await FACILITY.add(agency.admin, **KIDNEY), await FACILITY.add(agency.admin)
    chart, [patient] = await call_between(
        agency, [{}], origin_facility_id=center["id"], destination_facility_id=hospital["id"]
    )
    for facility in (center, hospital):
        path = f"{FACILITY.path}/{facility['id']}"
        await agency.admin.expect(200, "PATCH", path, json={"version": 1, "name": "Changed since", "zip": "60601"})

    report = report_of((await documents(chart, patient))[0], shared)

    assert said(report, *SCENE) == {
        "eScene.09": "Y92.538",
        "eScene.10": center["location_code"],
        "eScene.11": "39.7721,-89.7011",
        "eScene.13": "Prairie Kidney Center",
        "eScene.15": "12 Prairie Road",
        "eScene.16": "Suite 4",
        "eScene.18": "17",
        "eScene.19": "62704",
        "eScene.21": "17167",
    }
    assert said(report, *DESTINATION) == {
        "eDisposition.01": "Lincoln Regional Hospital",
        "eDisposition.02": hospital["location_code"],
        "eDisposition.03": "40 Lakeshore Drive",
        "eDisposition.05": "17",
        "eDisposition.06": "17167",
        "eDisposition.07": "62703-0042",
        "eDisposition.09": "39.8101,-89.6550",
        "eDisposition.21": "7701003",
        "eDisposition.23": ["9908023", "9908031"],
    }


async def test_the_crews_own_words_come_first(agency: Agency, shared: Path) -> None:
    """Element by element; but an address is one fact, and of another address nothing is taken from the facility."""
    hospital, center = await FACILITY.add(agency.admin), await FACILITY.add(agency.admin, **KIDNEY)
    own = values(eDisposition_21="4221003") | {"eDisposition.06": [{"not_value": "7701003"}]}
    patient = {
        "destination_facility_id": hospital["id"],
        "destination_name": "Lincoln Regional, Door B",
        "destination_city": "springfield",
        "elements": own,
    }
    scene = {
        "origin_facility_id": center["id"],
        "location_type": "Y92.481",
        "location_street": "Corner of 5th and Main",
        "location_state": "IL",
    }
    chart, [charted] = await call_between(agency, [patient], **scene)

    report = report_of((await documents(chart, charted))[0], shared)

    assert said(report, *DESTINATION) == {
        "eDisposition.01": "Lincoln Regional, Door B",
        "eDisposition.02": hospital["location_code"],
        "eDisposition.03": "40 Lakeshore Drive",
        "eDisposition.05": "17",
        "eDisposition.06": "7701003",
        "eDisposition.07": "62703-0042",
        "eDisposition.09": "39.8101,-89.6550",
        "eDisposition.21": "4221003",
        "eDisposition.23": ["9908023", "9908031"],
    }
    assert said(report, *SCENE) == {
        "eScene.09": "Y92.481",
        "eScene.10": center["location_code"],
        "eScene.11": None,
        "eScene.13": "Prairie Kidney Center",
        "eScene.15": "Corner of 5th and Main",
        "eScene.16": None,
        "eScene.18": "17",
        "eScene.19": "7701003",
        "eScene.21": "7701003",
    }


@pytest.mark.parametrize(
    ("charted", "wanted"),
    [
        (
            {"location_unit": "Room 212", "location_zip": "62704-1111", "location_country": "US"},
            ("39.7721,-89.7011", "12 Prairie Road", "Room 212", "17", "62704-1111"),
        ),
        ({"location_city": "SPRINGFIELD"}, ("39.7721,-89.7011", "12 Prairie Road", "Suite 4", "17", "62704")),
        (
            {"location_latitude": "39.5", "location_longitude": "-89.5"},
            ("39.5,-89.5", "12 Prairie Road", "Suite 4", "17", "62704"),
        ),
        ({"location_city": "Chicago"}, (None, None, None, "7701003", "7701003")),
        ({"location_zip": "60601"}, (None, None, None, "7701003", "60601")),
        ({"location_country": "MX"}, (None, None, None, "7701001", "7701001")),
    ],
)
async def test_what_makes_it_another_address(
    agency: Agency, shared: Path, charted: Body, wanted: tuple[str | None, ...]
) -> None:
    """A room, the long form of a ZIP code, capitals and the country that goes without saying do not."""
    center = await FACILITY.add(agency.admin, **KIDNEY)
    chart, [patient] = await call_between(agency, [{}], origin_facility_id=center["id"], **charted)
    report = report_of((await documents(chart, patient))[0], shared)
    assert tuple(said(report, *(f"eScene.{number}" for number in (11, 15, 16, 18, 19))).values()) == wanted


async def test_each_patient_went_where_they_went(agency: Agency, shared: Path) -> None:
    """The incident's destination is that of who says none and was brought there by this unit: of nobody else."""
    hospital, center = await FACILITY.add(agency.admin), await FACILITY.add(agency.admin, **KIDNEY)
    patients: list[Body] = [
        {},
        {"destination_facility_id": center["id"]},
        {"destination_name": "Somewhere else"},
        {"elements": values(eDisposition_30="4230009")},
    ]
    chart, made = await call_between(agency, patients, destination_facility_id=hospital["id"])
    chart.head = await chart.revise(INCIDENT, chart.head, elements={"eScene.06": [{"value": "2707001"}]})

    reports = [report_of(document, shared) for document in await documents(chart, *made)]

    shown = [said(report, "eDisposition.01", "eDisposition.02", "eDisposition.07") for report in reports]
    assert [tuple(one.values()) for one in shown] == [
        ("Lincoln Regional Hospital", hospital["location_code"], "62703-0042"),
        ("Prairie Kidney Center", center["location_code"], "62704"),
        ("Somewhere else", None, "7701003"),
        (None, None, "7701001"),
    ]
    assert said(reports[1], "eDisposition.21", "eDisposition.23") == {
        "eDisposition.21": "4221025",
        "eDisposition.23": "7701003",
    }
