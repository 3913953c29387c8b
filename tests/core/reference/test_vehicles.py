"""Vehicles: their numbers, their checks, their way out of service."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.core.vehicles.vin import Vin, check_digit
from tests.core.reference.records import VEHICLE
from tests.support.actors import Agency

ALPHABET = string.digits + "".join(set(string.ascii_uppercase) - set("IOQ"))
VIN: TypeAdapter[str] = TypeAdapter(Vin)
_parts = st.tuples(st.text(ALPHABET, min_size=8, max_size=8), st.text(ALPHABET, min_size=8, max_size=8))


def is_vin(text: str) -> bool:
    try:
        VIN.validate_python(text)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("vin", ["1M8GDM9AXKP042788", "11111111111111111", "5GZCZ43D13S812715"])
def test_known_numbers_pass(vin: str) -> None:
    assert is_vin(vin)


@given(_parts)
def test_exactly_one_check_digit_passes(parts: tuple[str, str]) -> None:
    passing = [digit for digit in ALPHABET if is_vin(f"{parts[0]}{digit}{parts[1]}")]
    assert passing == [check_digit(f"{parts[0]}0{parts[1]}")]


@given(_parts, st.integers(0, 16), st.sampled_from(string.digits))
def test_a_mistyped_digit_is_found(parts: tuple[str, str], position: int, typed: str) -> None:
    """Of digits, every single error: the weights are prime to eleven and digits differ by less."""
    vin = f"{parts[0]}{check_digit(f'{parts[0]}0{parts[1]}')}{parts[1]}"
    if vin[position] in string.digits and vin[position] != typed:
        assert not is_vin(vin[:position] + typed + vin[position + 1 :])


@pytest.mark.parametrize(
    "field",
    [
        {"unit_number": ""},
        {"unit_number": "x" * 26},
        {"unit_number": 7},
        {"vehicle_type": "ambulance"},
        {"vehicle_type": "1404002"},
        {"vehicle_type": None},
        {"capability": "2207001"},
        {"unit_number": " \u200b"},
        {"vin": "1M8GDM9A0KP042788"},
        {"vin": "1M8GDM9AXKP04278"},
        {"vin": "1m8gdm9axkp042788"},
        {"vin": "IM8GDM9AXKP042788"},
        {"model_year": 1899},
        {"model_year": "2019"},
        {"license_plate": "x" * 16},
    ],
    ids=str,
)
async def test_bad_input_is_refused(agency: Agency, field: dict[str, Any]) -> None:
    [name] = field
    made = await VEHICLE.add(agency.admin)
    refused = await agency.admin.expect(422, "POST", VEHICLE.path, json=VEHICLE.fresh() | field)
    assert [problem["field"] for problem in refused["error"]["details"]["problems"]] == [name]
    await agency.admin.expect(422, "PATCH", f"{VEHICLE.path}/{made['id']}", json={"version": 1, **field})
    assert len((await agency.admin.expect(200, "GET", VEHICLE.path))["items"]) == 1


async def test_a_retired_vehicle_leaves_its_number_to_its_successor(agency: Agency) -> None:
    old = await VEHICLE.add(agency.admin, unit_number="A1")
    path = f"{VEHICLE.path}/{old['id']}/transitions"
    assert (old["status"], old["allowed_actions"]) == ("in_service", ["take_out_of_service"])
    early = await agency.admin.expect(409, "POST", path, json={"action": "retire", "version": 1})
    assert early["error"]["details"]["allowed_actions"] == ["take_out_of_service"]
    out = await agency.admin.expect(200, "POST", path, json={"action": "take_out_of_service", "version": 1})
    assert (out["status"], out["allowed_actions"]) == ("out_of_service", ["return_to_service", "retire"])
    await agency.admin.expect(409, "POST", VEHICLE.path, json=VEHICLE.fresh(unit_number="A1"))
    retired = await agency.admin.expect(200, "POST", path, json={"action": "retire", "version": 2})
    assert (retired["status"], retired["allowed_actions"]) == ("retired", [])
    await agency.admin.expect(201, "POST", VEHICLE.path, json=VEHICLE.fresh(unit_number="A1"))
    in_service = await agency.medic.expect(200, "GET", VEHICLE.path, params={"status": "in_service"})
    assert [vehicle["unit_number"] for vehicle in in_service["items"]] == ["A1"]
