"""How vital signs are written: as a kind of entry."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from app.core.audit.actions import AuditAction
from app.core.db.uow import UnitOfWork
from app.core.errors import ValidationFailed
from app.ems.entries.checks import not_before_birth
from app.ems.entries.children import ChildActions, ChildKind
from app.ems.parts import VITAL
from app.ems.patients.ages import Aged, age_in_days
from app.ems.patients.models import Patient
from app.ems.vitals.models import Etco2Unit, Vital
from app.ems.vitals.plausibility import CallTimes, warnings_of
from app.ems.vitals.schemas import VitalRead


class VitalAction(AuditAction):
    CREATED = "vital.created"
    REVISED = "vital.revised"
    AMENDED = "vital.amended"
    DELETED = "vital.deleted"
    RESTORED = "vital.restored"
    MOVED = "vital.moved"


HIGHEST_ETCO2: Mapping[Etco2Unit, Decimal] = {
    Etco2Unit.MMHG: Decimal(760),
    Etco2Unit.PERCENT: Decimal(100),
    Etco2Unit.KPA: Decimal("101.3"),
}
"""The bound of eVitals.16 in each unit: one atmosphere."""


async def _check(uow: UnitOfWork, vital: Vital, patient: Patient | None) -> None:
    not_before_birth("taken_at", vital.taken_at, patient)
    if vital.etco2 is not None and vital.etco2_unit is not None and vital.etco2 > HIGHEST_ETCO2[vital.etco2_unit]:
        raise ValidationFailed.of("etco2", "impossible", "The end tidal CO2 is more than one atmosphere in its unit.")
    if vital.systolic_bp is not None and vital.diastolic_bp is not None and vital.diastolic_bp > vital.systolic_bp:
        raise ValidationFailed.of("diastolic_bp", "above_systolic", "The diastolic pressure is above the systolic one.")
    parts = (vital.gcs_eye, vital.gcs_verbal, vital.gcs_motor)
    total = sum(part for part in parts if part is not None)
    if vital.gcs_total is not None and None not in parts and total != vital.gcs_total:
        raise ValidationFailed.of("gcs_total", "not_the_sum", "The total GCS is not the sum of its parts.")


def read_vital(vital: Vital, call: CallTimes, patient: Aged | None) -> VitalRead:
    """A vital with its warnings, by the patient's age and the call's times. A deleted patient's age is left out."""
    age_days = None if patient is None else age_in_days(patient, vital.taken_at or call.dispatch_time)
    return VitalRead.of(vital, warnings=warnings_of(vital, age_days, call))


VITALS = ChildKind(
    part=VITAL,
    actions=ChildActions(
        VitalAction.CREATED,
        VitalAction.REVISED,
        VitalAction.AMENDED,
        VitalAction.DELETED,
        VitalAction.RESTORED,
        VitalAction.MOVED,
    ),
    check=_check,
    derive=read_vital,
)
