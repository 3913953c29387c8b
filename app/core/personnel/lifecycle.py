"""A person works for the agency (active), or does not, for now or for good (inactive)."""

from __future__ import annotations

from enum import StrEnum

from app.core.audit.actions import AuditAction
from app.core.lifecycle import Lifecycle, Transition
from app.core.personnel.permissions import PERSONNEL_WRITE


class EmploymentStatus(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"


class EmploymentTransition(StrEnum):
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"


class EmploymentStatusAction(AuditAction):
    DEACTIVATED = "person.deactivated"
    REACTIVATED = "person.reactivated"


employment_lifecycle: Lifecycle[EmploymentStatus, None] = Lifecycle(
    name="person",
    states=EmploymentStatus,
    initial=EmploymentStatus.ACTIVE,
    transitions=(
        Transition(
            EmploymentTransition.DEACTIVATE,
            frozenset({EmploymentStatus.ACTIVE}),
            EmploymentStatus.INACTIVE,
            PERSONNEL_WRITE,
            audit_action=EmploymentStatusAction.DEACTIVATED,
        ),
        Transition(
            EmploymentTransition.REACTIVATE,
            frozenset({EmploymentStatus.INACTIVE}),
            EmploymentStatus.ACTIVE,
            PERSONNEL_WRITE,
            audit_action=EmploymentStatusAction.REACTIVATED,
        ),
    ),
)
