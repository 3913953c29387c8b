"""The state machine of an export (directive section 7). `validate` ends in one of two states, so it is two actions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.core.audit.actions import AuditAction
from app.core.lifecycle import Guard, Lifecycle, Transition
from app.nemsis.events import EXPORT_STATUS_CHANGED
from app.nemsis.permissions import NEMSIS_EXPORT, NEMSIS_VALIDATE


class ExportStatus(StrEnum):
    PENDING_VALIDATION = "pending_validation"
    VALIDATION_FAILED = "validation_failed"
    READY_FOR_EXPORT = "ready_for_export"
    EXPORTED = "exported"


class ExportRequest(StrEnum):
    """The transitions that clients may ask for."""

    VALIDATE = "validate"
    EXPORT = "export"


class ExportTransition(StrEnum):
    PASS_VALIDATION = "pass_validation"
    FAIL_VALIDATION = "fail_validation"
    REVALIDATE = "revalidate"
    EXPORT = "export"
    INVALIDATE = "invalidate"


class ExportStatusAction(AuditAction):
    """The audit log's names of the transitions."""

    VALIDATED = "nemsis_export.validated"
    VALIDATION_FAILED = "nemsis_export.validation_failed"
    REOPENED = "nemsis_export.reopened"
    EXPORTED = "nemsis_export.exported"
    INVALIDATED = "nemsis_export.invalidated"


@dataclass(frozen=True, slots=True)
class ExportFacts:
    """`closed`: the chart is completed or locked. `unchanged`: the chart has not changed since it was validated."""

    closed: bool = False
    unchanged: bool = False


CLOSED: Guard[ExportFacts] = Guard(
    "chart_closed", "The chart must be completed or locked before it is exported.", lambda facts: facts.closed
)
UNCHANGED: Guard[ExportFacts] = Guard(
    "chart_unchanged", "The chart changed since it was validated; validate it again.", lambda facts: facts.unchanged
)
_PENDING = frozenset({ExportStatus.PENDING_VALIDATION})
_READY = frozenset({ExportStatus.READY_FOR_EXPORT})

export_lifecycle: Lifecycle[ExportStatus, ExportFacts] = Lifecycle(
    name="nemsis_export",
    states=ExportStatus,
    initial=ExportStatus.PENDING_VALIDATION,
    transitions=(
        Transition(
            ExportTransition.PASS_VALIDATION,
            _PENDING,
            ExportStatus.READY_FOR_EXPORT,
            audit_action=ExportStatusAction.VALIDATED,
            permission=NEMSIS_VALIDATE,
            offered_as=ExportRequest.VALIDATE,
            event=EXPORT_STATUS_CHANGED,
        ),
        Transition(
            ExportTransition.FAIL_VALIDATION,
            _PENDING,
            ExportStatus.VALIDATION_FAILED,
            audit_action=ExportStatusAction.VALIDATION_FAILED,
            permission=NEMSIS_VALIDATE,
            offered_as=ExportRequest.VALIDATE,
            event=EXPORT_STATUS_CHANGED,
        ),
        Transition(
            ExportTransition.REVALIDATE,
            frozenset({ExportStatus.VALIDATION_FAILED}),
            ExportStatus.PENDING_VALIDATION,
            audit_action=ExportStatusAction.REOPENED,
            permission=NEMSIS_VALIDATE,
            offered_as=ExportRequest.VALIDATE,
            event=EXPORT_STATUS_CHANGED,
        ),
        Transition(
            ExportTransition.EXPORT,
            _READY,
            ExportStatus.EXPORTED,
            audit_action=ExportStatusAction.EXPORTED,
            permission=NEMSIS_EXPORT,
            guards=(CLOSED, UNCHANGED),
            event=EXPORT_STATUS_CHANGED,
        ),
        Transition(
            ExportTransition.INVALIDATE,
            _READY,
            ExportStatus.PENDING_VALIDATION,
            audit_action=ExportStatusAction.INVALIDATED,
            system=True,
            event=EXPORT_STATUS_CHANGED,
        ),
    ),
    internal=frozenset({ExportTransition.INVALIDATE}),
)
