"""Checks that several kinds of chart entry share."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TypeVar

from app.core.db.uow import ReadUnitOfWork
from app.core.errors import NotFound, ValidationFailed
from app.ems.chart.columns import ChartChild
from app.ems.patients.models import Patient
from app.ems.patients.repository import PatientRepository

E = TypeVar("E", bound=ChartChild)


def of_incident(child: E | None, incident_id: uuid.UUID) -> E:
    """The entry, if it is of the incident. Raises NotFound for a missing entry and for another incident's alike."""
    if child is None or child.incident_id != incident_id:
        raise NotFound
    return child


async def patient_of(uow: ReadUnitOfWork, child: ChartChild) -> Patient | None:
    """The patient whom the entry is about, locked FOR SHARE; None for an entry about nobody.

    Raises ValidationFailed for a patient who is missing, deleted or another incident's.
    """
    patient_id = getattr(child, "patient_id", None)
    if patient_id is None:
        return None
    patient = await PatientRepository(uow).find_for_share(uow.tenant_id, patient_id)
    if patient is None or patient.incident_id != child.incident_id:
        raise ValidationFailed.of("patient_id", "unknown_patient", "This incident has no such patient.")
    return patient


def not_before_birth(field: str, moment: dt.datetime | None, patient: Patient | None) -> None:
    """Require a time after the patient's birth, with a day of grace for time zones. Raises ValidationFailed."""
    if moment is None or patient is None or patient.date_of_birth is None:
        return
    if moment.date() < patient.date_of_birth - dt.timedelta(days=1):
        raise ValidationFailed.of(field, "before_birth", "This time lies before the patient's birth.")
