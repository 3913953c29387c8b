"""Doubts about patients: their age against their date of birth and the day of the call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from app.ems.elements import APPROXIMATE
from app.ems.patients.models import AgeUnit, Patient
from app.ems.patients.schemas import PatientRead
from app.ems.plausibility.doubts import Doubt, DoubtCode, Doubts, Looked, doubt

OLDEST = 120
"""The bound of ePatient.15 in years."""
_DAYS: Mapping[AgeUnit, float] = {
    AgeUnit.YEARS: 365.25,
    AgeUnit.MONTHS: 30.44,
    AgeUnit.DAYS: 1,
    AgeUnit.HOURS: 1 / 24,
    AgeUnit.MINUTES: 1 / 1440,
}
_AGE, _BORN = "ePatient.15", "ePatient.17"


def patients(chart: Looked) -> Doubts:
    """Patients without any known fact, and impossible ages."""
    for one in chart.patients:
        patient = one.patient
        if not patient.elements and all(getattr(patient, name) is None for name in Patient.element_columns):
            message = "Nothing is recorded of this patient: record what is known, or why nothing is."
            yield _of(patient, "last_name", DoubtCode.EMPTY_ENTRY, message, "ePatient.02", blocking=False)
        if patient.age is not None and patient.age_unit is None and "ePatient.16" not in patient.elements:
            yield _of(patient, "age_unit", DoubtCode.MISSING, "The unit of the age is missing.", "ePatient.16")
        yield from _birth(chart, patient)


def _birth(chart: Looked, patient: PatientRead) -> Doubts:
    born = patient.date_of_birth
    if born is None or chart.first is None or chart.last is None:
        return
    called, ended = (moment.astimezone(chart.zone).date() for moment in (chart.first, chart.last))
    if born > ended:
        message = "This patient was born after the call: check the date of birth."
        yield _of(patient, "date_of_birth", DoubtCode.BORN_AFTER_CALL, message, _BORN, blocking=False)
    elif called.year - born.year > OLDEST:
        message = f"By the date of birth this patient is older than {OLDEST} years: check it."
        yield _of(patient, "date_of_birth", DoubtCode.AGE_IMPOSSIBLE, message, _BORN)
    elif _contradicts(patient, called - born):
        message = "The age does not follow from the date of birth: correct one of the two."
        yield _of(patient, "age", DoubtCode.AGE_CONTRADICTS, message, _AGE, blocking=False)


def _contradicts(patient: PatientRead, lived: dt.timedelta) -> bool:
    """True if the age is off by more than its unit, plus a day for the hour of birth. Estimates are not checked."""
    if patient.age is None or patient.age_unit is None:
        return False
    if any(entry.get("pertinent_negative") == APPROXIMATE for entry in patient.elements.get(_AGE, ())):
        return False
    unit = _DAYS[patient.age_unit]
    return not (patient.age - 1) * unit - 1 <= lived.days <= (patient.age + 2) * unit + 1


def _of(patient: PatientRead, field: str, code: DoubtCode, message: str, rule: str, *, blocking: bool = True) -> Doubt:
    return doubt(
        patient, Patient.entity_type, field, code, message, patient_id=patient.id, blocking=blocking, rule=rule
    )
