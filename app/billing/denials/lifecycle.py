"""The way of a refusal: worked on, appealed, and settled by what the payer does next, or given up by a person."""

from __future__ import annotations

from enum import StrEnum

from app.billing.permissions import CLAIM_WRITE, REMITTANCE_WRITE
from app.core.audit.actions import AuditAction
from app.core.lifecycle import Lifecycle, Transition


class DenialStatus(StrEnum):
    OPEN = "open"
    APPEALED = "appealed"
    RESOLVED = "resolved"
    GIVEN_UP = "given_up"


class DenialTransition(StrEnum):
    """What a person does about a refusal."""

    GIVE_UP = "give_up"
    RESUME = "resume"


class DenialWork(StrEnum):
    """What follows from an appeal, and from a payer's next decision."""

    APPEAL = "appeal"
    RETURN = "return"
    RESOLVE = "resolve"


class DenialStatusAction(AuditAction):
    GIVEN_UP = "denial.given_up"
    RESUMED = "denial.resumed"
    APPEALED = "denial.appealed"
    RETURNED = "denial.returned"
    RESOLVED = "denial.resolved"


class Resolution(StrEnum):
    """What settled a refusal. `superseded`: the payer decided again, and refused again."""

    PAID = "paid"
    REVERSED = "reversed"
    SUPERSEDED = "superseded"


_S = DenialStatus

denial_lifecycle: Lifecycle[DenialStatus, None] = Lifecycle(
    name="denial",
    states=DenialStatus,
    initial=_S.OPEN,
    transitions=(
        Transition(
            DenialTransition.GIVE_UP,
            frozenset({_S.OPEN}),
            _S.GIVEN_UP,
            audit_action=DenialStatusAction.GIVEN_UP,
            permission=CLAIM_WRITE,
            needs_reason=True,
        ),
        Transition(
            DenialTransition.RESUME,
            frozenset({_S.GIVEN_UP}),
            _S.OPEN,
            audit_action=DenialStatusAction.RESUMED,
            permission=CLAIM_WRITE,
        ),
        Transition(
            DenialWork.APPEAL,
            frozenset({_S.OPEN}),
            _S.APPEALED,
            audit_action=DenialStatusAction.APPEALED,
            permission=CLAIM_WRITE,
        ),
        Transition(
            DenialWork.RETURN,
            frozenset({_S.APPEALED}),
            _S.OPEN,
            audit_action=DenialStatusAction.RETURNED,
            permission=CLAIM_WRITE,
        ),
        Transition(
            DenialWork.RESOLVE,
            frozenset({_S.OPEN, _S.APPEALED, _S.GIVEN_UP}),
            _S.RESOLVED,
            audit_action=DenialStatusAction.RESOLVED,
            permission=REMITTANCE_WRITE,
            system=True,
        ),
    ),
    internal=frozenset(DenialWork),
)
