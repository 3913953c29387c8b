"""The billing account of a patient's claims. It is no part of the 837P, so that it changes in any state."""

from __future__ import annotations

import uuid

from app.billing.claims.repository import ClaimRepository
from app.billing.events import CLAIM_UPDATED
from app.core.audit.actions import AuditAction
from app.core.db.uow import UnitOfWork


class ClaimAccountAction(AuditAction):
    ACCOUNT_CHANGED = "claim.account_changed"


async def claims_follow_account(uow: UnitOfWork, patient_id: uuid.UUID, account_id: uuid.UUID | None) -> None:
    """Each live claim of the patient names the account. Raises Conflict if somebody changes a claim meanwhile."""
    for claim in await ClaimRepository(uow).list_all(uow.tenant_id, patient_id=patient_id):
        async with uow.change(claim, ClaimAccountAction.ACCOUNT_CHANGED, event=CLAIM_UPDATED):
            claim.account_id = account_id
