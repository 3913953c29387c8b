"""The claim's state machine (directive 8; the transitions are docs/adr's)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.billing.events import CLAIM_STATUS_CHANGED
from app.billing.permissions import CLAIM_EXPORT, CLAIM_WRITE
from app.core.audit.actions import AuditAction
from app.core.errors import Problem
from app.core.lifecycle import Guard, Lifecycle, Transition
from app.core.permissions import Permission


class ClaimStatus(StrEnum):
    PENDING_REVIEW = "pending_review"
    READY_TO_EXPORT = "ready_to_export"
    EXPORTED = "exported"
    SUBMITTED = "submitted"
    PAID = "paid"
    DENIED = "denied"
    APPEAL_NEEDED = "appeal_needed"
    CLOSED = "closed"


class ClaimTransition(StrEnum):
    """The transitions that clients may ask for."""

    APPROVE = "approve"
    REOPEN = "reopen"
    SUBMIT = "submit"
    REJECT = "reject"
    PAY = "pay"
    DENY = "deny"
    FLAG_APPEAL = "flag_appeal"
    RESUBMIT = "resubmit"
    REVERSE = "reverse"
    CORRECT = "correct"
    VOID = "void"
    CLOSE = "close"


class ClaimStatusAction(AuditAction):
    """The audit log's names of the transitions."""

    APPROVED = "claim.approved"
    REOPENED = "claim.reopened"
    EXPORTED = "claim.exported"
    SUBMITTED = "claim.submitted"
    REJECTED = "claim.rejected"
    PAID = "claim.paid"
    DENIED = "claim.denied"
    APPEAL_FLAGGED = "claim.appeal_flagged"
    RESUBMITTED = "claim.resubmitted"
    REVERSED = "claim.reversed"
    CORRECTED = "claim.corrected"
    VOIDED = "claim.voided"
    CLOSED = "claim.closed"


class InternalTransition(StrEnum):
    """Fired by POST billing/exports, when the artifact is stored."""

    EXPORT = "export"


DECIDED = frozenset({ClaimStatus.PAID, ClaimStatus.DENIED, ClaimStatus.APPEAL_NEEDED, ClaimStatus.CLOSED})
"""The states in which the payer has said what it pays, or will never be asked again."""
ADJUDICATIONS = frozenset({ClaimTransition.PAY, ClaimTransition.DENY})


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """`problems` keep the claim from a valid 837P. `unchanged`: nothing has changed since the file was made.

    `refusals` are what the blocking claim edits found beside them. `stale` names the charted fields under the claim's
    derived values that say something else by now.
    """

    chart_locked: bool
    problems: tuple[Problem, ...] = ()
    unchanged: bool = True
    refusals: tuple[Problem, ...] = ()
    stale: tuple[Problem, ...] = ()


UNJUDGED = ClaimFacts(chart_locked=False)
"""Facts for transitions without guards. Nothing was looked up."""

_LOCKED: Guard[ClaimFacts] = Guard("chart_locked", "The chart must be locked.", lambda facts: facts.chart_locked)
_COMPLETE: Guard[ClaimFacts] = Guard(
    "content_valid",
    "The claim must hold everything that an 837P needs.",
    lambda facts: not facts.problems,
    explain=lambda facts: facts.problems,
)
_SCRUBBED: Guard[ClaimFacts] = Guard(
    "edits_passed",
    "No blocking claim edit may find anything.",
    lambda facts: not facts.refusals,
    explain=lambda facts: facts.refusals,
)
_CURRENT: Guard[ClaimFacts] = Guard(
    "evidence_current",
    "The chart was amended under this claim: derive its values again.",
    lambda facts: not facts.stale,
    explain=lambda facts: facts.stale,
)
_UNCHANGED: Guard[ClaimFacts] = Guard(
    "content_unchanged", "Neither claim nor chart may change while the file is made.", lambda facts: facts.unchanged
)


def _move(
    action: StrEnum,
    sources: set[ClaimStatus],
    target: ClaimStatus,
    *,
    audit_action: ClaimStatusAction,
    permission: Permission = CLAIM_WRITE,
    guards: tuple[Guard[ClaimFacts], ...] = (),
    needs_reason: bool = False,
    system: bool = False,
) -> Transition[ClaimStatus, ClaimFacts]:
    return Transition(
        action,
        frozenset(sources),
        target,
        audit_action=audit_action,
        permission=permission,
        guards=guards,
        event=CLAIM_STATUS_CHANGED,
        needs_reason=needs_reason,
        system=system,
    )


_S, _T = ClaimStatus, ClaimTransition

claim_lifecycle: Lifecycle[ClaimStatus, ClaimFacts] = Lifecycle(
    name="claim",
    states=ClaimStatus,
    initial=_S.PENDING_REVIEW,
    transitions=(
        _move(
            _T.APPROVE,
            {_S.PENDING_REVIEW},
            _S.READY_TO_EXPORT,
            audit_action=ClaimStatusAction.APPROVED,
            guards=(_LOCKED, _COMPLETE, _SCRUBBED, _CURRENT),
        ),
        _move(_T.REOPEN, {_S.READY_TO_EXPORT, _S.CLOSED}, _S.PENDING_REVIEW, audit_action=ClaimStatusAction.REOPENED),
        _move(
            InternalTransition.EXPORT,
            {_S.READY_TO_EXPORT},
            _S.EXPORTED,
            audit_action=ClaimStatusAction.EXPORTED,
            permission=CLAIM_EXPORT,
            guards=(_LOCKED, _COMPLETE, _SCRUBBED, _CURRENT, _UNCHANGED),
        ),
        # the system submits what it has delivered to the clearinghouse itself
        _move(_T.SUBMIT, {_S.EXPORTED}, _S.SUBMITTED, audit_action=ClaimStatusAction.SUBMITTED, system=True),
        _move(_T.REJECT, {_S.EXPORTED, _S.SUBMITTED}, _S.PENDING_REVIEW, audit_action=ClaimStatusAction.REJECTED),
        _move(_T.PAY, {_S.SUBMITTED, _S.DENIED, _S.APPEAL_NEEDED}, _S.PAID, audit_action=ClaimStatusAction.PAID),
        _move(
            _T.DENY,
            {_S.SUBMITTED, _S.APPEAL_NEEDED},
            _S.DENIED,
            audit_action=ClaimStatusAction.DENIED,
            needs_reason=True,
        ),
        _move(_T.FLAG_APPEAL, {_S.DENIED}, _S.APPEAL_NEEDED, audit_action=ClaimStatusAction.APPEAL_FLAGGED),
        _move(
            _T.RESUBMIT, {_S.DENIED, _S.APPEAL_NEEDED}, _S.PENDING_REVIEW, audit_action=ClaimStatusAction.RESUBMITTED
        ),
        _move(_T.REVERSE, {_S.PAID}, _S.SUBMITTED, audit_action=ClaimStatusAction.REVERSED),
        _move(
            _T.CORRECT,
            {_S.SUBMITTED, _S.PAID, _S.DENIED},
            _S.PENDING_REVIEW,
            audit_action=ClaimStatusAction.CORRECTED,
        ),
        _move(_T.VOID, {_S.SUBMITTED, _S.PAID, _S.DENIED}, _S.CLOSED, audit_action=ClaimStatusAction.VOIDED),
        _move(
            _T.CLOSE,
            {_S.PENDING_REVIEW, _S.PAID, _S.DENIED, _S.APPEAL_NEEDED},
            _S.CLOSED,
            audit_action=ClaimStatusAction.CLOSED,
        ),
    ),
    internal=frozenset({InternalTransition.EXPORT}),
)

ORIGINAL, REPLACEMENT, VOIDING = "1", "7", "8"
"""CLM05-3, the claim frequency."""
GUARDED = frozenset(str(transition.action) for transition in claim_lifecycle.transitions if transition.guards)


def consequences(
    action: ClaimTransition,
    *,
    at: dt.datetime,
    reason: str | None,
    patient_responsibility: Decimal | None,
    frequency: str = ORIGINAL,
) -> dict[str, Any]:
    """Columns that change together with the status. `frequency` is the claim's before.

    The payer's decision (denial_reason, paid_at, patient_responsibility_amount) stays while it is in force. A claim
    that was voided and is opened again goes out as an original.
    """
    undecided = {"denial_reason": None, "paid_at": None, "patient_responsibility_amount": None}
    match action:
        case ClaimTransition.SUBMIT:
            return {"submitted_at": at}
        case ClaimTransition.REJECT:
            return {"submitted_at": None}
        case ClaimTransition.PAY:
            return {**undecided, "paid_at": at, "patient_responsibility_amount": patient_responsibility}
        case ClaimTransition.DENY:
            return {**undecided, "denial_reason": reason, "patient_responsibility_amount": patient_responsibility}
        case ClaimTransition.REVERSE:
            return undecided
        case ClaimTransition.RESUBMIT:
            return {**undecided, "submitted_at": None}
        case ClaimTransition.CORRECT:
            return {**undecided, "submitted_at": None, "frequency": REPLACEMENT}
        case ClaimTransition.VOID:
            return {"frequency": VOIDING}
        case ClaimTransition.REOPEN:
            again = ORIGINAL if frequency == VOIDING else frequency
            return {**undecided, "submitted_at": None, "frequency": again}
        case _:
            return {}
