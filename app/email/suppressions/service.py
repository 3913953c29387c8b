"""Suppresses an address, and allows it again when the mailbox works."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import Depends

from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.outbound.turns import take_turn
from app.core.pagination import Page, Paging
from app.core.repository import require_version
from app.email.permissions import EMAIL_READ, EMAIL_UNSUPPRESS
from app.email.suppressions.models import EmailSuppression, SuppressionReason
from app.email.suppressions.repository import SuppressionRepository
from app.email.suppressions.schemas import SuppressionRead


class SuppressionAction(AuditAction):
    CREATED = "email_suppression.created"
    LIFTED = "email_suppression.lifted"


async def is_suppressed(uow: ReadUnitOfWork, address: str) -> bool:
    return await SuppressionRepository(uow).find_by_address(uow.tenant_id, address) is not None


class SuppressionReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._suppressions = SuppressionRepository(uow)

    async def list_page(self, paging: Paging) -> Page[SuppressionRead]:
        self._uow.principal.require(EMAIL_READ)
        page = await self._suppressions.list_page(self._uow.tenant_id, paging)
        return Page(items=[SuppressionRead.of(item) for item in page.items], next_cursor=page.next_cursor)


class SuppressionService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._suppressions = SuppressionRepository(uow)

    async def suppress(self, address: str, reason: SuppressionReason, message_id: uuid.UUID) -> None:
        """Send nothing more to the address. An address that is already suppressed keeps its first reason."""
        await take_turn(self._uow, "email", "suppression", address)
        if await is_suppressed(self._uow, address):
            return
        suppression = EmailSuppression(
            tenant_id=self._uow.tenant_id, address=address, reason=reason, message_id=message_id
        )
        await self._uow.create(suppression, SuppressionAction.CREATED)

    async def lift(self, suppression_id: uuid.UUID, version: int) -> None:
        """Allow later messages to the address. Raises Forbidden, NotFound, Conflict."""
        self._uow.principal.require(EMAIL_UNSUPPRESS)
        suppression = await self._suppressions.get_for_update(self._uow.tenant_id, suppression_id)
        require_version(suppression, version)
        async with self._uow.change(suppression, SuppressionAction.LIFTED):
            suppression.deleted_at = utcnow()


async def suppression_service(uow: Uow) -> SuppressionService:
    return SuppressionService(uow)


async def suppression_reader(uow: ReadUow) -> SuppressionReader:
    return SuppressionReader(uow)


Suppressions = Annotated[SuppressionService, Depends(suppression_service)]
SuppressionReads = Annotated[SuppressionReader, Depends(suppression_reader)]
