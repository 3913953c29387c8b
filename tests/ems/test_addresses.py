"""Addresses of the armed forces and abroad: charted, exported, billed, and read by people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scripts.demo_chart import CALL
from tests.ems.charts import INCIDENT, PATIENT, Chart
from tests.ems.evidence import Evidence
from tests.ems.test_crew import problems
from tests.ems.test_facilities_on_calls import call_between, report_of, said
from tests.journeys.test_interventions_exported import documents
from tests.support.actors import Agency

HOME = ("ePatient.05", "ePatient.07", "ePatient.08", "ePatient.09", "ePatient.10")
NOT_APPLICABLE = "7701001"
CASES = [
    (
        {"home_street": "PSC 3 Box 4120", "home_city": "APO", "home_state": "AE", "home_zip": "09021"},
        ("PSC 3 Box 4120", NOT_APPLICABLE, NOT_APPLICABLE, "09021", None),
    ),
    (
        {"home_street": "1 Lagoon Road", "home_city": "Majuro", "home_state": "MH", "home_zip": "96960"},
        ("1 Lagoon Road", "7701003", "68", "96960", None),
    ),
    (
        {
            "home_street": "24 Sussex Drive",
            "home_city": "Ottawa",
            "home_state": "ON",
            "home_zip": "K1M 1M4",
            "home_country": "CA",
        },
        ("24 Sussex Drive", NOT_APPLICABLE, NOT_APPLICABLE, "K1M 1M4", "CA"),
    ),
    (
        {
            "home_street": "Calle 5 12",
            "home_city": "Nogales",
            "home_state": "CO",
            "home_zip": "84000",
            "home_country": "MX",
        },
        ("Calle 5 12", NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE, "MX"),
    ),
]


@pytest.mark.parametrize(("home", "wanted"), CASES, ids=["military", "associated state", "Canada", "Mexico"])
async def test_a_patient_who_lives_far_away(
    agency: Agency, shared: Path, home: dict[str, Any], wanted: tuple[Any, ...]
) -> None:
    """Nothing abroad is taken for a code of the United States: the province CO is not Colorado."""
    places = {name: CALL.incident[name] for name in CALL.incident if name.startswith("location_")}
    parts = ("street", "city", "state", "zip", "county", "country")
    chart, [patient] = await call_between(agency, [{**{f"home_{part}": None for part in parts}, **home}], **places)
    assert {name: patient[name] for name in home} == home
    report = report_of((await documents(chart, patient))[0], shared)
    assert tuple(said(report, *HOME).values()) == wanted


async def test_a_scene_and_a_destination_abroad(agency: Agency, shared: Path) -> None:
    scene = {"location_street": "Calle 5 12", "location_city": "Nogales", "location_country": "MX"}
    hospital = {
        "destination_name": "Hospital Regional",
        "destination_city": "Nogales",
        "destination_zip": "84000",
        "destination_country": "MX",
    }
    chart, [patient] = await call_between(agency, [hospital], **scene)
    report = report_of((await documents(chart, patient))[0], shared)
    scene_codes = said(report, "eScene.18", "eScene.19", "eScene.21", "eScene.22")
    assert tuple(scene_codes.values()) == (NOT_APPLICABLE,) * 3 + ("MX",)
    codes = said(report, *(f"eDisposition.0{number}" for number in (5, 6, 7, 8)))
    assert tuple(codes.values()) == (NOT_APPLICABLE,) * 3 + ("MX",)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"home_state": "ON"}, ("home_state", "us_state")),
        ({"home_state": "AE", "home_city": "Ramstein"}, ("home_city", "military_city")),
        ({"home_country": "CA", "home_state": "IL"}, ("home_state", "ca_province")),
        ({"home_country": "PR"}, ("home_country", "country")),
        ({"destination_zip": "K1A0B1", "destination_country": "CA"}, ("destination_zip", "postal_code")),
        ({"home_county": "17167", "home_country": "DE"}, ("home_county", "county_abroad")),
    ],
)
async def test_an_address_that_cannot_be(
    chart: Chart, evidence: Evidence, fields: dict[str, Any], problem: tuple[str, str]
) -> None:
    """Refused by field name when it is made and when it is changed, whichever part is sent last."""
    before = await evidence.digest(chart.agency.tenant_id)
    assert problems(await chart.add(PATIENT, status=422, **fields)) == [problem]
    assert problems(await chart.revise(PATIENT, chart.patient, status=422, **fields)) == [problem]
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_the_country_is_judged_with_what_is_stored(chart: Chart) -> None:
    abroad = await chart.revise(PATIENT, chart.patient, home_country="GB", home_zip="SW1A 1AA")
    assert problems(await chart.revise(PATIENT, abroad, status=422, home_country=None)) == [("home_zip", "postal_code")]
    refused = await chart.revise(INCIDENT, chart.head, status=422, location_state="SON")
    assert problems(refused) == [("location_state", "us_state")]
    moved = await chart.revise(INCIDENT, chart.head, location_state="SON", location_country="MX")
    assert (moved["location_state"], moved["location_country"]) == ("SON", "MX")
