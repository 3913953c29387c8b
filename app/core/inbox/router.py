"""webhooks/receipts: list, replay. Each provider's own route belongs to its domain."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.core.dependencies import requires
from app.core.filters import From, OneOf, To
from app.core.inbox.lifecycle import ReceiptStatus
from app.core.inbox.permissions import WEBHOOK_READ, WEBHOOK_REPLAY
from app.core.inbox.schemas import Provider, ReceiptRead, ReceiptTransitionRequest
from app.core.inbox.service import ReceiptReads, Receipts
from app.core.pagination import Page, PagingQuery

router = APIRouter(prefix="/webhooks/receipts", tags=["webhooks"])


@router.get("", dependencies=[requires(WEBHOOK_READ)])
async def list_webhook_receipts(
    receipts: ReceiptReads,
    paging: PagingQuery,
    status: OneOf[ReceiptStatus] = None,
    provider: OneOf[Provider] = None,
    created_at_from: From = None,
    created_at_to: To = None,
) -> Page[ReceiptRead]:
    """What outside systems reported to the agency and what became of it, newest first. Bodies are not shown."""
    return await receipts.list_page(
        paging,
        status=status,
        provider=provider,
        created_at_from=created_at_from,
        created_at_to=created_at_to,
    )


@router.post("/{receipt_id}/transitions", dependencies=[requires(WEBHOOK_REPLAY)])
async def transition_webhook_receipt(
    receipt_id: uuid.UUID, given: ReceiptTransitionRequest, receipts: Receipts
) -> ReceiptRead:
    """`replay` a failed event. The answer says `received`; the service processes it within about a minute."""
    return await receipts.transition(receipt_id, given)
