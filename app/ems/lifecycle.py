"""The incident's state machine (directive 5.2; return_for_correction and recall are ours, docs/adr)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.core.audit.actions import AuditAction
from app.core.errors import Problem
from app.core.lifecycle import Guard, Lifecycle, Transition
from app.core.permissions import Principal
from app.ems.events import INCIDENT_STATUS_CHANGED
from app.ems.permissions import CHART_LOCK, CHART_REVIEW, CHART_UNLOCK, CHART_WRITE


class IncidentStatus(StrEnum):
    DRAFT = "draft"
    IN_PROGRESS = "in_progress"
    READY_FOR_REVIEW = "ready_for_review"
    COMPLETED = "completed"
    LOCKED = "locked"


class IncidentTransition(StrEnum):
    START = "start"
    SUBMIT_FOR_REVIEW = "submit_for_review"
    RETURN_FOR_CORRECTION = "return_for_correction"
    RECALL = "recall"
    COMPLETE = "complete"
    LOCK = "lock"
    UNLOCK = "unlock"


class IncidentStatusAction(AuditAction):
    """The audit log's names of the transitions."""

    STARTED = "incident.started"
    SUBMITTED_FOR_REVIEW = "incident.submitted_for_review"
    RETURNED_FOR_CORRECTION = "incident.returned_for_correction"
    RECALLED = "incident.recalled"
    COMPLETED = "incident.completed"
    LOCKED = "incident.locked"
    UNLOCKED = "incident.unlocked"


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """What guards look at. `lacks_crew_signature`: the agency wants one, and none covers the chart as it stands.

    `implausible` are the fields that say something that cannot be true. `taken_up`: the review has a reviewer.
    `late_entries`: some wait for a decision.
    """

    lacks_crew_signature: bool = False
    implausible: tuple[Problem, ...] = ()
    taken_up: bool = False
    late_entries: bool = False


ATTESTED: Guard[IncidentFacts] = Guard(
    "crew_signature",
    "This agency completes a chart only while a crew attestation covers all of it.",
    lambda facts: not facts.lacks_crew_signature,
)
PLAUSIBLE: Guard[IncidentFacts] = Guard(
    "plausible",
    "This chart says something that cannot be true, or half of a fact: a corrected chart can be completed.",
    lambda facts: not facts.implausible,
    lambda facts: facts.implausible,
)
SETTLED: Guard[IncidentFacts] = Guard(
    "late_entries",
    "Entries that came in after the submission wait for a decision: admit them, or refuse them.",
    lambda facts: not facts.late_entries,
)
NOT_TAKEN_UP: Guard[IncidentFacts] = Guard(
    "not_taken_up",
    "A reviewer has taken this chart up: ask for it to be returned.",
    lambda facts: not facts.taken_up,
)
EDITABLE = frozenset({IncidentStatus.DRAFT, IncidentStatus.IN_PROGRESS})


def may_not_review(incident: Any, user_id: uuid.UUID | None) -> bool:
    """True if the user wrote part of the chart, and so never reviews it. This binds admins, too.

    `authors` are known from the submission on: nothing is written while a chart waits for its review. Before it, only
    the creator is known.
    """
    authors = [incident.created_by] if incident.authors is None else incident.authors
    return user_id in authors


def _is_author(incident: Any, principal: Principal) -> bool:
    return may_not_review(incident, principal.user_id)


def _did_not_submit(incident: Any, principal: Principal) -> bool:
    """Only the user who submitted the chart recalls it."""
    if incident.submitted_by is None:
        return bool(incident.status is IncidentStatus.READY_FOR_REVIEW)
    return bool(incident.submitted_by != principal.user_id)


def _from(*states: IncidentStatus) -> frozenset[IncidentStatus]:
    return frozenset(states)


incident_lifecycle: Lifecycle[IncidentStatus, IncidentFacts] = Lifecycle(
    name="incident",
    states=IncidentStatus,
    initial=IncidentStatus.DRAFT,
    transitions=(
        Transition(
            IncidentTransition.START,
            _from(IncidentStatus.DRAFT),
            IncidentStatus.IN_PROGRESS,
            audit_action=IncidentStatusAction.STARTED,
            permission=CHART_WRITE,
            event=INCIDENT_STATUS_CHANGED,
        ),
        Transition(
            IncidentTransition.SUBMIT_FOR_REVIEW,
            _from(IncidentStatus.IN_PROGRESS),
            IncidentStatus.READY_FOR_REVIEW,
            audit_action=IncidentStatusAction.SUBMITTED_FOR_REVIEW,
            permission=CHART_WRITE,
            guards=(SETTLED,),
            event=INCIDENT_STATUS_CHANGED,
        ),
        Transition(
            IncidentTransition.RETURN_FOR_CORRECTION,
            _from(IncidentStatus.READY_FOR_REVIEW),
            IncidentStatus.IN_PROGRESS,
            audit_action=IncidentStatusAction.RETURNED_FOR_CORRECTION,
            permission=CHART_REVIEW,
            forbids=_is_author,
            event=INCIDENT_STATUS_CHANGED,
        ),
        Transition(
            IncidentTransition.RECALL,
            _from(IncidentStatus.READY_FOR_REVIEW),
            IncidentStatus.IN_PROGRESS,
            audit_action=IncidentStatusAction.RECALLED,
            permission=CHART_WRITE,
            guards=(NOT_TAKEN_UP,),
            forbids=_did_not_submit,
            event=INCIDENT_STATUS_CHANGED,
        ),
        Transition(
            IncidentTransition.COMPLETE,
            _from(IncidentStatus.READY_FOR_REVIEW),
            IncidentStatus.COMPLETED,
            audit_action=IncidentStatusAction.COMPLETED,
            permission=CHART_REVIEW,
            guards=(ATTESTED, PLAUSIBLE, SETTLED),
            forbids=_is_author,
            event=INCIDENT_STATUS_CHANGED,
        ),
        Transition(
            IncidentTransition.LOCK,
            _from(IncidentStatus.COMPLETED),
            IncidentStatus.LOCKED,
            audit_action=IncidentStatusAction.LOCKED,
            permission=CHART_LOCK,
            system=True,
            event=INCIDENT_STATUS_CHANGED,
        ),
        Transition(
            IncidentTransition.UNLOCK,
            _from(IncidentStatus.LOCKED),
            IncidentStatus.COMPLETED,
            audit_action=IncidentStatusAction.UNLOCKED,
            permission=CHART_UNLOCK,
            needs_reason=True,
            event=INCIDENT_STATUS_CHANGED,
        ),
    ),
)
