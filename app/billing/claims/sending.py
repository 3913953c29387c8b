"""Somebody owes a claim's charges: the payer when the clearinghouse has the claim, the patient if nobody else pays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from app.billing.claims.lifecycle import UNJUDGED, ClaimStatus, ClaimTransition, claim_lifecycle, consequences
from app.billing.claims.models import Claim
from app.billing.claims.repository import ClaimLineRepository
from app.billing.ledger.service import Charged, post_charges, post_self_pay
from app.core.clock import utcnow
from app.core.db.uow import UnitOfWork


async def submit(uow: UnitOfWork, claim: Claim, *, reason: str | None = None) -> None:
    """Moves a locked claim to `submitted` and posts its charges, line by line. Raises Forbidden, InvalidTransition."""
    action = ClaimTransition.SUBMIT
    await claim_lifecycle.fire(uow, claim, action, UNJUDGED, reason=reason, **consequences(action, at=utcnow()))
    await _charge(uow, [claim])


async def submit_all(uow: UnitOfWork, claims: Sequence[Claim], at: dt.datetime) -> None:
    """As `submit`, for the claims of a file that was delivered at `at`."""
    action = ClaimTransition.SUBMIT
    await claim_lifecycle.fire_all(uow, claims, action, lambda _: UNJUDGED, **consequences(action, at=at))
    await _charge(uow, claims)


async def close(uow: UnitOfWork, claim: Claim, *, reason: str | None = None) -> None:
    """Closes a locked claim. If it names no payer and nobody was asked to pay, the patient owes its charges.

    Raises Forbidden, InvalidTransition.
    """
    is_self_pay = claim.status is ClaimStatus.PENDING_REVIEW and claim.payer_name is None
    await claim_lifecycle.fire(uow, claim, ClaimTransition.CLOSE, UNJUDGED, reason=reason)
    if is_self_pay:
        await _charge(uow, [claim])
        await post_self_pay(uow, claim_id=claim.id, patient_id=claim.patient_id)


async def _charge(uow: UnitOfWork, claims: Sequence[Claim]) -> None:
    lines = await ClaimLineRepository(uow).list_of_claims(uow.tenant_id, [claim.id for claim in claims])
    due = [Charged(one.id, one.patient_id, {line.id: line.charge for line in lines[one.id]}) for one in claims]
    await post_charges(uow, due)
