"""billing/claims/{claim_id}/scrub."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.billing.permissions import CLAIM_CLINICAL
from app.billing.scrubbing.schemas import ScrubRead
from app.billing.scrubbing.service import Scrubs
from app.core.dependencies import requires

router = APIRouter(prefix="/billing/claims/{claim_id}/scrub", tags=["billing"])


@router.get("", dependencies=[requires(CLAIM_CLINICAL)])
async def scrub_claim(claim_id: uuid.UUID, scrubs: Scrubs) -> ScrubRead:
    """What the claim edits find in this claim now. Blocking findings stop `approve` and the export.

    A claim that went out shows the verdict with which it went.
    """
    return await scrubs.get(claim_id)
