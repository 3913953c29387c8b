"""What a posted decision does to refusals: it makes one, and settles those before it. Runs in the posting's own unit.

The claim is locked by the caller, so two postings cannot both settle what they find.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from app.billing.claims.models import Claim
from app.billing.denials.clocks import FIRST, appeal_by
from app.billing.denials.lifecycle import DenialWork, Resolution, denial_lifecycle
from app.billing.denials.models import Denial
from app.billing.denials.recognition import recognise
from app.billing.denials.repository import DenialRepository
from app.billing.payers.service import find_payer
from app.billing.x12.remittance_advice import ClaimPayment
from app.core.audit.actions import AuditAction
from app.core.db.uow import UnitOfWork


class DenialAction(AuditAction):
    RECORDED = "denial.recorded"
    REVISED = "denial.revised"


@dataclass(frozen=True, slots=True)
class PostedDecision:
    """`is_of_next_payer`: the payer before it has decided already, and its refusals stay."""

    remittance_claim_id: uuid.UUID
    said: ClaimPayment
    notice_on: dt.date
    is_of_next_payer: bool


async def record_decision(uow: UnitOfWork, claim: Claim, decision: PostedDecision) -> None:
    """Settles the claim's refusals, and records what the decision refuses. One statement where there is nothing."""
    refusal = recognise(decision.said, decision.notice_on)
    if not decision.is_of_next_payer:
        for earlier in await DenialRepository(uow).list_unsettled_for_update(uow.tenant_id, claim.id):
            resolution = _resolution(decision.said, refused=refusal is not None and refusal.whole)
            await denial_lifecycle.fire(uow, earlier, DenialWork.RESOLVE, None, resolution=resolution)
    if refusal is None:
        return
    payer = None if claim.payer_record_id is None else await find_payer(uow, claim.payer_record_id)
    denial = Denial(
        tenant_id=uow.tenant_id,
        claim_id=claim.id,
        remittance_claim_id=decision.remittance_claim_id,
        payer_record_id=claim.payer_record_id,
        codes=list(refusal.codes),
        remarks=list(refusal.remarks),
        amount=refusal.amount,
        whole=refusal.whole,
        category=refusal.category,
        owner=refusal.owner,
        remedy=refusal.remedy,
        appealable=refusal.appealable,
        notice_on=decision.notice_on,
        appeal_by=appeal_by(claim, payer, FIRST, decision.notice_on) if refusal.appealable else None,
    )
    await uow.create(denial, DenialAction.RECORDED)


def _resolution(said: ClaimPayment, *, refused: bool) -> Resolution:
    if said.is_reversal:
        return Resolution.REVERSED
    return Resolution.SUPERSEDED if refused else Resolution.PAID
