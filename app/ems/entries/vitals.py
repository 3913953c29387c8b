"""Vital signs as a kind of chart child."""

from __future__ import annotations

from enum import StrEnum

from app.core.db.uow import UnitOfWork
from app.core.errors import ValidationFailed
from app.ems.entries.checks import not_before_birth
from app.ems.entries.children import ChildActions, ChildKind
from app.ems.patients.models import Patient
from app.ems.vitals.models import Vital
from app.ems.vitals.repository import VitalRepository
from app.ems.vitals.schemas import VitalCreate, VitalPatch, VitalRead


class VitalAction(StrEnum):
    CREATED = "vital.created"
    REVISED = "vital.revised"
    AMENDED = "vital.amended"
    DELETED = "vital.deleted"
    RESTORED = "vital.restored"


async def _check(uow: UnitOfWork, vital: Vital, patient: Patient | None) -> None:
    not_before_birth("taken_at", vital.taken_at, patient)
    if vital.etco2 is not None and vital.etco2_unit is None:
        raise ValidationFailed.of("etco2_unit", "missing", "Give the unit of the end tidal CO2.")
    parts = (vital.gcs_eye, vital.gcs_verbal, vital.gcs_motor)
    total = sum(part for part in parts if part is not None)
    if vital.gcs_total is not None and None not in parts and total != vital.gcs_total:
        raise ValidationFailed.of("gcs_total", "not_the_sum", "The total GCS is not the sum of its parts.")


VITALS = ChildKind(
    noun="vital",
    path="vitals",
    repository=VitalRepository,
    create=VitalCreate,
    patch=VitalPatch,
    read=VitalRead,
    actions=ChildActions(
        VitalAction.CREATED, VitalAction.REVISED, VitalAction.AMENDED, VitalAction.DELETED, VitalAction.RESTORED
    ),
    check=_check,
)
