"""Facilities: what a record may hold, and how it is found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.reference.records import FACILITY
from tests.support.actors import Agency


def problems(answer: Any) -> list[tuple[str, str]]:
    return [(item["field"], item["code"]) for item in answer["error"]["details"]["problems"]]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": "X"}, ("name", "too_short")),
        ({"facility_type": "1701002"}, ("facility_type", "enum")),
        ({"billing_letter": "S"}, ("billing_letter", "enum")),
        ({"npi": "1234567890"}, ("npi", "npi_check_digit")),
        ({"npi": "123456789"}, ("npi", "string_pattern_mismatch")),
        ({"designations": []}, ("designations", "too_short")),
        ({"designations": ["9908002"]}, ("designations.0", "enum")),
        ({"state": "XX"}, ("state", "us_state")),
        ({"zip": "6278"}, ("zip", "postal_code")),
        ({"country": "XX", "state": None, "zip": None, "county": None}, ("country", "country")),
        ({"county": "167"}, ("county", "string_pattern_mismatch")),
        ({"latitude": "91"}, ("latitude", "less_than_equal")),
        ({"longitude": None}, ("longitude", "missing")),
        ({"status": "open"}, ("status", "extra_forbidden")),
    ],
)
async def test_what_no_facility_has(agency: Agency, fields: dict[str, Any], problem: tuple[str, str]) -> None:
    refused = await agency.admin.expect(422, "POST", FACILITY.path, json=FACILITY.fresh(**fields))
    assert problems(refused) == [problem]
    made = await FACILITY.add(agency.admin)
    refused = await agency.admin.expect(422, "PATCH", f"{FACILITY.path}/{made['id']}", json={"version": 1, **fields})
    assert problems(refused) == [problem]
    page = await agency.admin.expect(200, "GET", FACILITY.path)
    assert page["items"] == [made]


async def test_a_facility_abroad(agency: Agency) -> None:
    clinic = {"country": "MX", "state": "SON", "zip": "84000", "county": None, "city": "Nogales"}
    made = await FACILITY.add(agency.admin, **clinic)
    assert {name: made[name] for name in clinic} == clinic


async def test_facilities_by_what_they_are(agency: Agency) -> None:
    dialysis = {"facility_type": "1701017", "billing_letter": "J", "npi": None, "designations": None}
    hospital, center = await FACILITY.add(agency.admin), await FACILITY.add(agency.admin, name="Kidney", **dialysis)
    for query, wanted in (
        ({"facility_type": "1701017"}, center),
        ({"billing_letter": "H"}, hospital),
        ({"npi": "1234567893"}, hospital),
        ({"name": "Kidney"}, center),
        ({"location_code": hospital["location_code"]}, hospital),
    ):
        page = await agency.medic.expect(200, "GET", FACILITY.path, params=query)
        assert [item["id"] for item in page["items"]] == [wanted["id"]], query


async def test_who_keeps_facilities(agency: Agency) -> None:
    made = await FACILITY.add(agency.admin)
    for who in ("medic", "supervisor", "biller"):
        actor = agency.actors[who]
        assert await actor.expect(200, "GET", f"{FACILITY.path}/{made['id']}") == made
        await actor.expect(403, "POST", FACILITY.path, json=FACILITY.fresh())
        await actor.expect(403, "PATCH", f"{FACILITY.path}/{made['id']}", json={"version": 1, "city": "Chicago"})
        await actor.expect(403, "DELETE", f"{FACILITY.path}/{made['id']}", params={"version": 1})
    assert (await agency.admin.expect(200, "GET", FACILITY.path))["items"] == [made]
