"""The claim as its reader may see it."""

from __future__ import annotations

from collections.abc import Sequence

from app.billing.claims.lifecycle import claim_lifecycle
from app.billing.claims.models import Claim, ClaimLine
from app.billing.claims.schemas import ClaimRead, LineRead
from app.billing.permissions import CLAIM_CLINICAL
from app.core.db.plan import plan_of
from app.core.permissions import Principal, Role


def sees_clinical(principal: Principal) -> bool:
    """True if the principal sees clinical fields. The system does: it reads whole claims when it acts on events."""
    return principal.role is Role.SYSTEM or CLAIM_CLINICAL.held_by(principal)


def present(claim: Claim, lines: Sequence[ClaimLine], principal: Principal) -> ClaimRead:
    """The claim as an answer. Fields classified as PHI are null for a principal without claim.clinical."""
    clinical = sees_clinical(principal)
    modifiers = list(dict.fromkeys(modifier for line in lines for modifier in line.modifiers))
    return ClaimRead.of(
        claim,
        **({} if clinical else dict.fromkeys(plan_of(Claim).redacted)),
        allowed_actions=claim_lifecycle.allowed_actions(claim, principal),
        modifiers=modifiers if clinical else None,
        lines=[present_line(line, principal) for line in lines],
    )


def present_line(line: ClaimLine, principal: Principal) -> LineRead:
    hidden = {} if sees_clinical(principal) else dict.fromkeys(plan_of(ClaimLine).redacted)
    return LineRead.of(line, **hidden)
