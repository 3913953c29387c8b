"""The part of billing that other domains may import: the frozen claim, its states, topics and permissions."""

from __future__ import annotations

import uuid

from app.billing.appeals.service import attach_appeal_draft
from app.billing.claims.lifecycle import ClaimStatus
from app.billing.claims.schemas import ClaimRead, LineRead
from app.billing.claims.service import ClaimReader
from app.billing.events import CLAIM_STATUS_CHANGED, CLAIM_UPDATED, LEDGER_POSTED
from app.billing.permissions import CLAIM_READ, CLAIM_WRITE
from app.billing.postings.service import post_patient_payment, post_patient_refund
from app.core.db.uow import ReadUnitOfWork


async def get_claim(uow: ReadUnitOfWork, claim_id: uuid.UUID) -> ClaimRead:
    """The claim with its lines, as far as the unit's principal may see it. Raises NotFound."""
    return await ClaimReader(uow).get(claim_id)


__all__ = [
    "CLAIM_READ",
    "CLAIM_STATUS_CHANGED",
    "CLAIM_UPDATED",
    "CLAIM_WRITE",
    "LEDGER_POSTED",
    "ClaimRead",
    "ClaimStatus",
    "LineRead",
    "attach_appeal_draft",
    "get_claim",
    "post_patient_payment",
    "post_patient_refund",
]
