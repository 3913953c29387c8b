"""The state machine of an entry that came in late."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from app.core.audit.actions import AuditAction
from app.core.lifecycle import Lifecycle, Transition
from app.core.permissions import Principal
from app.ems.events import INCIDENT_UPDATED
from app.ems.permissions import CHART_REVIEW, CHART_WRITE


class LateEntryStatus(StrEnum):
    PENDING = "pending"
    ADMITTED = "admitted"
    REFUSED = "refused"


class LateEntryTransition(StrEnum):
    ADMIT = "admit"
    REFUSE = "refuse"


class LateEntryAction(AuditAction):
    HELD = "late_entry.held"
    ADMITTED = "late_entry.admitted"
    REFUSED = "late_entry.refused"


def _is_a_bystander(late: Any, principal: Principal) -> bool:
    """Only the chart's author, who submitted it, and reviewers decide."""
    return principal.user_id not in (late.author_id, late.submitted_by) and not CHART_REVIEW.held_by(principal)


_PENDING = frozenset({LateEntryStatus.PENDING})

late_entry_lifecycle: Lifecycle[LateEntryStatus, None] = Lifecycle(
    name="late_entry",
    states=LateEntryStatus,
    initial=LateEntryStatus.PENDING,
    transitions=(
        Transition(
            LateEntryTransition.ADMIT,
            _PENDING,
            LateEntryStatus.ADMITTED,
            audit_action=LateEntryAction.ADMITTED,
            permission=CHART_WRITE,
            forbids=_is_a_bystander,
            event=INCIDENT_UPDATED,
        ),
        Transition(
            LateEntryTransition.REFUSE,
            _PENDING,
            LateEntryStatus.REFUSED,
            audit_action=LateEntryAction.REFUSED,
            permission=CHART_WRITE,
            forbids=_is_a_bystander,
            needs_reason=True,
            event=INCIDENT_UPDATED,
        ),
    ),
)
