"""The way of one decided claim of a remittance into the ledger."""

from __future__ import annotations

from enum import StrEnum

from app.billing.permissions import REMITTANCE_WRITE
from app.core.audit.actions import AuditAction
from app.core.lifecycle import Lifecycle, Transition


class RemittanceClaimStatus(StrEnum):
    PENDING = "pending"
    HELD = "held"
    POSTED = "posted"
    SET_ASIDE = "set_aside"


class RemittanceClaimTransition(StrEnum):
    """What a person does about a decision that is held."""

    RESOLVE = "resolve"
    SET_ASIDE = "set_aside"


class PostingTransition(StrEnum):
    """What the service does by itself."""

    POST = "post"
    HOLD = "hold"


class RemittanceClaimStatusAction(AuditAction):
    POSTED = "remittance_claim.posted"
    HELD = "remittance_claim.held"
    RESOLVED = "remittance_claim.resolved"
    SET_ASIDE = "remittance_claim.set_aside"


class HoldReason(StrEnum):
    """Why a decision is not posted by itself. The first five are figures that do not agree."""

    LINE_UNBALANCED = "line_unbalanced"
    CLAIM_UNBALANCED = "claim_unbalanced"
    LINE_CHARGES_DIFFER = "line_charges_differ"
    PATIENT_RESPONSIBILITY_DIFFERS = "patient_responsibility_differs"
    SET_UNBALANCED = "set_unbalanced"
    UNKNOWN_CLAIM = "unknown_claim"
    NOT_A_DECISION = "not_a_decision"
    CLAIM_NOT_SENT = "claim_not_sent"
    CLAIM_CLOSED = "claim_closed"
    CHARGE_DIFFERS = "charge_differs"
    LINE_UNMATCHED = "line_unmatched"
    ALREADY_DECIDED = "already_decided"
    NOTHING_TO_REVERSE = "nothing_to_reverse"
    REVERSAL_DIFFERS = "reversal_differs"
    PRIOR_PAYER_DIFFERS = "prior_payer_differs"


_S = RemittanceClaimStatus

remittance_claim_lifecycle: Lifecycle[RemittanceClaimStatus, None] = Lifecycle(
    name="remittance_claim",
    states=RemittanceClaimStatus,
    initial=_S.PENDING,
    transitions=(
        Transition(
            PostingTransition.POST,
            frozenset({_S.PENDING}),
            _S.POSTED,
            audit_action=RemittanceClaimStatusAction.POSTED,
            system=True,
        ),
        Transition(
            PostingTransition.HOLD,
            frozenset({_S.PENDING}),
            _S.HELD,
            audit_action=RemittanceClaimStatusAction.HELD,
            system=True,
        ),
        Transition(
            RemittanceClaimTransition.RESOLVE,
            frozenset({_S.HELD}),
            _S.POSTED,
            audit_action=RemittanceClaimStatusAction.RESOLVED,
            permission=REMITTANCE_WRITE,
            needs_reason=True,
        ),
        Transition(
            RemittanceClaimTransition.SET_ASIDE,
            frozenset({_S.HELD}),
            _S.SET_ASIDE,
            audit_action=RemittanceClaimStatusAction.SET_ASIDE,
            permission=REMITTANCE_WRITE,
            needs_reason=True,
        ),
    ),
    internal=frozenset(PostingTransition),
)
