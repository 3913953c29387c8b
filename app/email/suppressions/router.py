"""email/suppressions."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.core.dependencies import requires
from app.core.pagination import Page, PagingQuery
from app.core.schemas import VersionQuery
from app.email.permissions import EMAIL_READ, EMAIL_UNSUPPRESS
from app.email.suppressions.schemas import SuppressionRead
from app.email.suppressions.service import SuppressionReads, Suppressions

router = APIRouter(prefix="/email/suppressions", tags=["email"])


@router.get("", dependencies=[requires(EMAIL_READ)])
async def list_suppressions(suppressions: SuppressionReads, paging: PagingQuery) -> Page[SuppressionRead]:
    """Addresses that bounced for good or complained, newest first. Nothing is sent to them."""
    return await suppressions.list_page(paging)


@router.delete("/{suppression_id}", status_code=204, dependencies=[requires(EMAIL_UNSUPPRESS)])
async def lift_suppression(suppression_id: uuid.UUID, version: VersionQuery, suppressions: Suppressions) -> None:
    """Write to the address again, once its mailbox was put right. Messages that failed stay failed."""
    await suppressions.lift(suppression_id, version)
