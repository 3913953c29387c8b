"""An agency's receipts as its administrators list and replay them."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import Depends

from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.inbox.lifecycle import receipt_lifecycle
from app.core.inbox.models import WebhookReceipt
from app.core.inbox.permissions import WEBHOOK_READ, WEBHOOK_REPLAY
from app.core.inbox.repository import ReceiptRepository
from app.core.inbox.schemas import ReceiptRead, ReceiptTransitionRequest
from app.core.pagination import Page, Paging
from app.core.permissions import Principal
from app.core.repository import require_version


def present(receipt: WebhookReceipt, principal: Principal) -> ReceiptRead:
    return ReceiptRead.of(receipt, allowed_actions=receipt_lifecycle.allowed_actions(receipt, principal))


class ReceiptReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._receipts = ReceiptRepository(uow)
        uow.principal.require(WEBHOOK_READ)

    async def list_page(self, paging: Paging, **filters: Any) -> Page[ReceiptRead]:
        page = await self._receipts.list_page(self._uow.tenant_id, paging, **filters)
        items = [present(receipt, self._uow.principal) for receipt in page.items]
        return Page(items=items, next_cursor=page.next_cursor)


class ReceiptService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._receipts = ReceiptRepository(uow)

    async def transition(self, receipt_id: uuid.UUID, given: ReceiptTransitionRequest) -> ReceiptRead:
        """Make it `received` and due at once. Raises Forbidden, NotFound, InvalidTransition, Conflict (stale)."""
        principal = self._uow.principal
        principal.require(WEBHOOK_REPLAY)
        receipt = await self._receipts.get_for_update(self._uow.tenant_id, receipt_id)
        receipt_lifecycle.require(receipt, given.action, principal, None)
        require_version(receipt, given.version)
        await receipt_lifecycle.fire(self._uow, receipt, given.action, None, failure=None)
        return present(receipt, principal)


async def receipt_reader(uow: ReadUow) -> ReceiptReader:
    return ReceiptReader(uow)


async def receipt_service(uow: Uow) -> ReceiptService:
    return ReceiptService(uow)


ReceiptReads = Annotated[ReceiptReader, Depends(receipt_reader)]
Receipts = Annotated[ReceiptService, Depends(receipt_service)]
