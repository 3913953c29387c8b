"""Pricing a claim, and the report of what a changed fee schedule did to open claims."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.billing.claims.schemas import ClaimRead
from app.billing.permissions import CLAIM_READ, CLAIM_WRITE
from app.billing.repricing.schemas import PricingRequest, RepricingRead
from app.billing.repricing.service import Pricing, PricingReads
from app.core.dependencies import requires
from app.core.pagination import Page, PagingQuery

router = APIRouter(prefix="/billing", tags=["billing"])


@router.post("/claims/{claim_id}/pricing", dependencies=[requires(CLAIM_WRITE)])
async def price_claim(claim_id: uuid.UUID, given: PricingRequest, pricing: Pricing) -> ClaimRead:
    """Charge every line what the fee schedules say for the day of service; a line without a price stays as it is."""
    return await pricing.price(claim_id, given.version)


@router.get("/fee-schedules/{schedule_id}/repricings", dependencies=[requires(CLAIM_READ)])
async def list_repricings(schedule_id: uuid.UUID, pricing: PricingReads, paging: PagingQuery) -> Page[RepricingRead]:
    """Open claims whose charge followed a change of this schedule: what it was and what it is, newest first."""
    return await pricing.list_repricings(schedule_id, paging)
