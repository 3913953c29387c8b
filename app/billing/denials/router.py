"""billing/denials."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Query

from app.billing.adjustment_codes.dictionary import Category, Owner, Remedy
from app.billing.denials.lifecycle import DenialStatus
from app.billing.denials.schemas import DenialPaging, DenialPatch, DenialRead, DenialTransitionRequest
from app.billing.denials.service import DenialReads, Denials
from app.billing.permissions import CLAIM_READ, CLAIM_WRITE
from app.core.dependencies import requires
from app.core.filters import From, OneOf, To
from app.core.pagination import Page
from app.core.schemas import Date

router = APIRouter(prefix="/billing/denials", tags=["billing"])
DueFrom = Annotated[Date | None, Query(description="The last day for an appeal is this one or later")]
DueTo = Annotated[Date | None, Query(description="The last day for an appeal is before this one")]


@router.get("", dependencies=[requires(CLAIM_READ)])
async def list_denials(
    denials: DenialReads,
    paging: Annotated[DenialPaging, Query()],
    status: OneOf[DenialStatus] = None,
    claim_id: OneOf[uuid.UUID] = None,
    payer_record_id: OneOf[uuid.UUID] = None,
    category: OneOf[Category] = None,
    owner: OneOf[Owner] = None,
    remedy: OneOf[Remedy] = None,
    assigned_to_user_id: OneOf[uuid.UUID] = None,
    appeal_by_from: DueFrom = None,
    appeal_by_to: DueTo = None,
    created_at_from: From = None,
    created_at_to: To = None,
) -> Page[DenialRead]:
    """What payers have refused, the nearest deadline first. The founder sees it; it says nothing about patients."""
    return await denials.list_page(
        paging,
        status=status,
        claim_id=claim_id,
        payer_record_id=payer_record_id,
        category=category,
        owner=owner,
        remedy=remedy,
        assigned_to_user_id=assigned_to_user_id,
        appeal_by_from=appeal_by_from,
        appeal_by_to=appeal_by_to,
        created_at_from=created_at_from,
        created_at_to=created_at_to,
    )


@router.get("/{denial_id}", dependencies=[requires(CLAIM_READ)])
async def get_denial(denial_id: uuid.UUID, denials: DenialReads) -> DenialRead:
    """One refusal: its codes in plain words, its likely cause, and what helps."""
    return await denials.get(denial_id)


@router.patch("/{denial_id}", dependencies=[requires(CLAIM_WRITE)])
async def revise_denial(denial_id: uuid.UUID, patch: DenialPatch, denials: Denials) -> DenialRead:
    """Give a refusal to somebody, or set a deadline that the payer's rule does not say."""
    return await denials.revise(denial_id, patch)


@router.post("/{denial_id}/transitions", dependencies=[requires(CLAIM_WRITE)])
async def transition_denial(denial_id: uuid.UUID, given: DenialTransitionRequest, denials: Denials) -> DenialRead:
    """Give a refusal up, with a reason, or take it up again. What the payer decides next settles it by itself."""
    return await denials.transition(denial_id, given)
