"""How interventions are written: as a kind of entry."""

from __future__ import annotations

from app.core.audit.actions import AuditAction
from app.core.db.uow import UnitOfWork
from app.core.errors import Problem, refuse
from app.ems.entries.checks import not_before_birth
from app.ems.entries.children import ChildActions, ChildKind
from app.ems.interventions.models import Intervention, InterventionType
from app.ems.parts import INTERVENTION
from app.ems.patients.models import Patient


class InterventionAction(AuditAction):
    CREATED = "intervention.created"
    REVISED = "intervention.revised"
    AMENDED = "intervention.amended"
    DELETED = "intervention.deleted"
    RESTORED = "intervention.restored"
    MOVED = "intervention.moved"


FOREIGN_FIELDS = {
    InterventionType.PROCEDURE: ("rxcui", "dose", "dose_unit", "route"),
    InterventionType.MEDICATION: ("procedure_code",),
}


async def _check(uow: UnitOfWork, intervention: Intervention, patient: Patient | None) -> None:
    not_before_birth("performed_at", intervention.performed_at, patient)
    refuse(
        Problem(field, "not_of_this_type", f"A {intervention.type} has no {field}.")
        for field in FOREIGN_FIELDS[intervention.type]
        if getattr(intervention, field) is not None
    )


INTERVENTIONS = ChildKind(
    part=INTERVENTION,
    actions=ChildActions(
        InterventionAction.CREATED,
        InterventionAction.REVISED,
        InterventionAction.AMENDED,
        InterventionAction.DELETED,
        InterventionAction.RESTORED,
        InterventionAction.MOVED,
    ),
    check=_check,
)
