"""The mapping: every column that carries an element is written, in the form that NEMSIS wants."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ems.elements import PER_PATIENT, TARGET_BUILD, load_dictionary
from app.ems.incidents.models import Incident
from app.ems.interventions.models import MEDICATION_COLUMNS, PROCEDURE_COLUMNS
from app.ems.narratives.models import Narrative
from app.ems.patients.models import AgeUnit, Gender, Patient
from app.ems.vitals.models import Vital
from app.nemsis.mapping import DEFAULT_FIELDS, FIELDS, SOLE_PATIENT_FIELDS, age_at, internal_field, lexical

CHICAGO = zoneinfo.ZoneInfo("America/Chicago")
DICTIONARY = load_dictionary(TARGET_BUILD)


def test_every_carried_element_is_mapped_once() -> None:
    assert FIELDS["incident"] == {**Incident.element_columns, **DEFAULT_FIELDS, **SOLE_PATIENT_FIELDS}
    assert FIELDS["patient"] == Patient.element_columns
    assert FIELDS["vital"] == Vital.element_columns
    assert FIELDS["narrative"] == Narrative.element_columns
    assert (FIELDS["medication"], FIELDS["procedure"]) == (MEDICATION_COLUMNS, PROCEDURE_COLUMNS)
    carried = [name for columns in FIELDS.values() for name in set(columns.values())]
    assert {name for name in carried if carried.count(name) > 1} == {"eTimes.09", "eTimes.11"} <= PER_PATIENT
    assert set(carried) <= DICTIONARY.elements.keys()


@pytest.mark.parametrize(
    ("column", "value", "element_id", "written"),
    [
        ("dispatch_time", dt.datetime(2026, 7, 1, 17, 0, tzinfo=dt.UTC), "eTimes.03", "2026-07-01T12:00:00-05:00"),
        ("dispatch_time", dt.datetime(2026, 12, 1, 17, 0, tzinfo=dt.UTC), "eTimes.03", "2026-12-01T11:00:00-06:00"),
        ("location_state", "IL", "eScene.18", "17"),
        ("gender", Gender.MALE, "ePatient.25", "9919003"),
        ("date_of_birth", dt.date(1958, 3, 14), "ePatient.17", "1958-03-14"),
        ("dose", Decimal("324"), "eMedications.05", "324"),
        ("dose", Decimal("0.30"), "eMedications.05", "0.30"),
        ("dose", Decimal("1000"), "eMedications.05", "1000"),
        ("etco2", Decimal("35.0"), "eVitals.16", "35.0"),
        ("heart_rate", 90, "eVitals.10", "90"),
    ],
)
def test_lexical_forms(column: str, value: object, element_id: str, written: str) -> None:
    assert lexical(column, value, CHICAGO) == written
    assert DICTIONARY.elements[element_id].type.violation(written) is None


@given(st.dates(dt.date(1900, 1, 1), dt.date(2027, 1, 1)), st.dates(dt.date(2020, 1, 1), dt.date(2027, 1, 1)))
def test_age_is_one_that_nemsis_accepts_or_none(born: dt.date, on: dt.date) -> None:
    age = age_at(born, on)
    if born > on:
        assert age is None
    elif age is not None:
        number, unit = age
        assert 1 <= number <= 120
        assert (unit is AgeUnit.YEARS) == ((on.year, on.month, on.day) >= (born.year + 1, born.month, born.day))


def test_age_of_an_infant_is_in_months_and_of_a_newborn_in_days() -> None:
    assert age_at(dt.date(2026, 8, 20), dt.date(2026, 11, 19)) == (2, AgeUnit.MONTHS)
    assert age_at(dt.date(2026, 11, 20), dt.date(2026, 11, 20)) == (1, AgeUnit.DAYS)
    assert age_at(dt.date(1901, 1, 1), dt.date(2026, 1, 1)) is None


def test_internal_fields_are_named() -> None:
    assert internal_field("eVitals.10") == "vital.heart_rate"
    assert internal_field("eSituation.11") == "incident.primary_impression"
    assert internal_field("ePatient.14") is None
