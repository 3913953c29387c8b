"""A claim reaches the clearinghouse: from then on somebody owes its charges."""

from __future__ import annotations

from app.billing.claims.lifecycle import UNJUDGED, ClaimTransition, claim_lifecycle, consequences
from app.billing.claims.models import Claim
from app.billing.claims.repository import ClaimLineRepository
from app.billing.ledger.service import post_charges
from app.core.clock import utcnow
from app.core.db.uow import UnitOfWork


async def submit(uow: UnitOfWork, claim: Claim, *, reason: str | None = None) -> None:
    """Moves a locked claim to `submitted` and posts its charges, line by line. Raises Forbidden, InvalidTransition."""
    action = ClaimTransition.SUBMIT
    await claim_lifecycle.fire(uow, claim, action, UNJUDGED, reason=reason, **consequences(action, at=utcnow()))
    lines = (await ClaimLineRepository(uow).list_of_claims(uow.tenant_id, [claim.id]))[claim.id]
    charges = {line.id: line.charge for line in lines}
    await post_charges(uow, claim_id=claim.id, patient_id=claim.patient_id, charges=charges)
