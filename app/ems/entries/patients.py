"""How patients are written: as a kind of entry."""

from __future__ import annotations

import datetime as dt

from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.db.uow import UnitOfWork
from app.core.errors import ValidationFailed
from app.ems.entries.children import ChildActions, ChildKind, Use
from app.ems.parts import ENTRIES, PATIENT
from app.ems.patients.models import Patient


class PatientAction(AuditAction):
    CREATED = "patient.created"
    REVISED = "patient.revised"
    AMENDED = "patient.amended"
    DELETED = "patient.deleted"
    RESTORED = "patient.restored"


_LARGEST_OFFSET = dt.timedelta(hours=14)  # the most that any time zone is: a date of birth is local (Guam has +10)


async def _check(uow: UnitOfWork, patient: Patient, _: Patient | None) -> None:
    if patient.date_of_birth is not None and patient.date_of_birth > (utcnow() + _LARGEST_OFFSET).date():
        raise ValidationFailed.of("date_of_birth", "in_the_future", "The date of birth lies in the future.")


PATIENTS = ChildKind(
    part=PATIENT,
    actions=ChildActions(
        PatientAction.CREATED,
        PatientAction.REVISED,
        PatientAction.AMENDED,
        PatientAction.DELETED,
        PatientAction.RESTORED,
    ),
    check=_check,
    used_by=tuple(Use(part.collection, part.repository, "patient_id") for part in ENTRIES if part.names_patient),
)
