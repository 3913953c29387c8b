"""Unusual vital signs are kept, with a warning that follows every correction."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ems.patients.ages import age_in_days
from app.ems.patients.models import AgeUnit
from app.ems.vitals.models import Vital
from app.ems.vitals.plausibility import LIMITS, Limit, WarningCode, warnings_of
from tests.ems.charts import INCIDENT, PATIENT, VITAL, Chart

YEAR = 365


def vital(**fields: Any) -> Vital:
    elements = fields.pop("elements", {})
    ids: dict[str, Any] = {
        "id": uuid.uuid4(),
        "tenant_id": uuid.uuid4(),
        "incident_id": uuid.uuid4(),
        "patient_id": uuid.uuid4(),
    }
    return Vital(**ids, elements=elements, **fields)


def warned(answer: Any) -> list[tuple[str, str]]:
    return [(warning["field"], warning["code"]) for warning in answer["warnings"]]


@pytest.mark.parametrize(
    ("fields", "age_days", "expected"),
    [
        ({"heart_rate": 200}, 40 * YEAR, []),
        ({"heart_rate": 221}, 40 * YEAR, [("heart_rate", "unusually_high")]),
        ({"heart_rate": 29}, 40 * YEAR, [("heart_rate", "unusually_low")]),
        ({"heart_rate": 0}, 40 * YEAR, []),
        ({"heart_rate": 179}, 3 * YEAR, []),
        ({"heart_rate": 180}, 3 * YEAR, [("heart_rate", "unusually_high")]),
        ({"heart_rate": 219}, 200, []),
        ({"heart_rate": 220}, 200, [("heart_rate", "unusually_high")]),
        ({"heart_rate": 205}, 20, []),
        ({"heart_rate": 59}, 20, [("heart_rate", "unusually_low")]),
        ({"heart_rate": 60}, 11 * YEAR, []),
        ({"heart_rate": 35}, None, []),
        ({"respiratory_rate": 60}, 200, []),
        ({"respiratory_rate": 61}, 200, [("respiratory_rate", "unusually_high")]),
        ({"respiratory_rate": 9}, 200, [("respiratory_rate", "unusually_low")]),
        ({"respiratory_rate": 55}, 30 * YEAR, [("respiratory_rate", "unusually_high")]),
        ({"systolic_bp": 60}, 28, []),
        ({"systolic_bp": 59}, 28, [("systolic_bp", "unusually_low")]),
        ({"systolic_bp": 69}, 29, [("systolic_bp", "unusually_low")]),
        ({"systolic_bp": 70}, 200, []),
        ({"systolic_bp": 65}, 200, [("systolic_bp", "unusually_low")]),
        ({"systolic_bp": 79}, 5 * YEAR, [("systolic_bp", "unusually_low")]),
        ({"systolic_bp": 80}, 5 * YEAR, []),
        ({"systolic_bp": 89}, 10 * YEAR, [("systolic_bp", "unusually_low")]),
        ({"systolic_bp": 90}, 10 * YEAR, []),
        ({"systolic_bp": 89}, 17 * YEAR, [("systolic_bp", "unusually_low")]),
        ({"systolic_bp": 89}, 18 * YEAR, []),
        ({"systolic_bp": 61}, None, []),
        ({"systolic_bp": 80, "diastolic_bp": 80}, None, [("diastolic_bp", "no_pulse_pressure")]),
        ({"systolic_bp": 0, "diastolic_bp": 0}, None, []),
        ({"spo2": 69}, None, [("spo2", "unusually_low")]),
        ({"temperature_c": Decimal("31.9")}, None, [("temperature_c", "unusually_low")]),
        ({"etco2": Decimal(5), "etco2_unit": "kPa"}, None, []),
        ({"etco2": Decimal(5), "etco2_unit": "mmHg"}, None, [("etco2", "unusually_low")]),
        ({"etco2": Decimal(5)}, None, [("etco2_unit", "unit_missing")]),
        ({"etco2_unit": "mmHg"}, None, []),
        ({"elements": {"eVitals.18": [{"value": "39"}]}}, None, [("elements.eVitals.18", "unusually_low")]),
        ({"elements": {"eVitals.18": [{"value": "High"}]}}, None, []),
        ({"elements": {"eVitals.18": [{"not_value": "7701003"}]}}, None, []),
    ],
)
def test_what_is_unusual(fields: dict[str, Any], age_days: int | None, expected: list[tuple[str, str]]) -> None:
    found = warnings_of(vital(**fields), age_days)
    assert [(warning.field, warning.code.value) for warning in found] == expected


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.field)
def test_bands_cover_every_age_once(limit: Limit) -> None:
    for age_days in (*range(19 * YEAR), 80 * YEAR):
        assert sum(band.holds(age_days) for band in limit.bands) == 1


@given(st.sampled_from(LIMITS), st.integers(0, 600), st.integers(0, 110 * YEAR))
def test_of_unknown_age_is_warned_only_what_is_unusual_at_every_age(limit: Limit, value: int, age_days: int) -> None:
    if limit.warning_for(Decimal(value), None) is not None:
        assert limit.warning_for(Decimal(value), age_days) is not None


@pytest.mark.parametrize(
    ("minutes", "fields", "outside"),
    [
        (-15, {}, False),
        (-16, {}, True),
        (-90, {"elements": {"eVitals.02": [{"value": "9923003"}]}}, False),
        (-90, {"elements": {"eVitals.02": [{"value": "9923001"}]}}, True),
        (75, {}, False),
        (76, {}, True),
        (76, {"elements": {"eVitals.02": [{"value": "9923003"}]}}, True),
    ],
)
def test_times_beside_the_call(minutes: int, fields: dict[str, Any], outside: bool) -> None:
    dispatched = dt.datetime(2026, 3, 1, 16, tzinfo=dt.UTC)
    call = SimpleNamespace(
        dispatch_time=None,
        enroute_time=dispatched,
        arrival_time=dispatched + dt.timedelta(minutes=9),
        cleared_time=dispatched + dt.timedelta(minutes=60),
    )
    taken = vital(taken_at=dispatched + dt.timedelta(minutes=minutes), **fields)
    assert [warning.code for warning in warnings_of(taken, None, call)] == [WarningCode.OUTSIDE_CALL] * outside
    nothing_known = SimpleNamespace(dispatch_time=None, enroute_time=None, arrival_time=None, cleared_time=None)
    assert warnings_of(taken, None, nothing_known) == []


def test_age_comes_from_the_date_of_birth_before_the_charted_age() -> None:
    patient = SimpleNamespace(date_of_birth=dt.date(2026, 2, 1), age=40, age_unit=AgeUnit.YEARS)
    assert age_in_days(patient, dt.datetime(2026, 3, 1, tzinfo=dt.UTC)) == 28
    assert age_in_days(patient, None) == 40 * YEAR
    patient.age_unit = None
    assert age_in_days(patient, None) is None


async def test_warnings_over_http(chart: Chart) -> None:
    """In every answer the same, by the patient's age and the call's times; gone with the correction, nothing stored."""
    chart.patient = await chart.revise(PATIENT, chart.patient, age=3, age_unit="years")
    await chart.revise(INCIDENT, chart.head, dispatch_time="2026-03-01T12:00:00-06:00")
    expected = [("heart_rate", "unusually_high"), ("taken_at", "outside_call")]
    made = await chart.add(VITAL, heart_rate=190)
    assert warned(made) == expected
    assert all(str(190) not in warning["message"] for warning in made["warnings"])
    read = await chart.writer.expect(200, "GET", chart.at(VITAL, made))
    [listed] = (await chart.writer.expect(200, "GET", chart.at(VITAL)))["items"]
    assert read == listed == made
    corrected = await chart.revise(VITAL, made, heart_rate=110, taken_at="2026-03-01T12:05:00-06:00")
    assert warned(corrected) == []
    await chart.revise(VITAL, corrected, status=422, warnings=[])


async def test_the_total_gcs_is_the_sum_of_its_parts(chart: Chart) -> None:
    """Where it has neither a value nor a reason of absence; a changed part changes the sum."""
    made = await chart.add(VITAL, gcs_eye=4, gcs_verbal=5, gcs_motor=6)
    assert made["gcs_total"] == 15
    changed = await chart.revise(VITAL, made, gcs_verbal=3)
    assert (changed["gcs_total"], changed["version"]) == (13, 2)
    assert (await chart.revise(VITAL, changed, gcs_eye=None))["gcs_total"] is None
    refused = await chart.add(
        VITAL, gcs_eye=4, gcs_verbal=5, gcs_motor=6, elements={"eVitals.23": [{"not_value": "7701003"}]}
    )
    assert refused["gcs_total"] is None
