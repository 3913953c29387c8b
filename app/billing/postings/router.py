"""billing/claims/{claim_id}/ledger."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.billing.permissions import LEDGER_READ, LEDGER_WRITE
from app.billing.postings.schemas import AdjustmentCreate, LedgerRead
from app.billing.postings.service import LedgerReads, Postings
from app.core.dependencies import requires
from app.core.idempotency.creation import CreationDependency
from app.core.openapi import errors

router = APIRouter(prefix="/billing/claims/{claim_id}", tags=["billing"])


@router.get("/ledger", dependencies=[requires(LEDGER_READ)])
async def get_claim_ledger(claim_id: uuid.UUID, ledger: LedgerReads) -> LedgerRead:
    """What is owed for one claim and by whom, with every entry and its cause: file, payment or person."""
    return await ledger.get(claim_id)


@router.post("/adjustments", status_code=201, responses=errors(409), dependencies=[requires(LEDGER_WRITE)])
async def create_claim_adjustment(
    claim_id: uuid.UUID, given: AdjustmentCreate, postings: Postings, creation: CreationDependency
) -> LedgerRead:
    """Write off, refund to a payer, or transfer to the patient, with a reason. Never more than the balance."""
    return await postings.adjust(claim_id, given, creation)
