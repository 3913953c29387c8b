"""Delivers a file again after its delivery has failed for good. The failed delivery stays as it is."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import Depends

from app.billing.delivery.lifecycle import DeliveryStatus
from app.billing.delivery.models import ClaimDelivery
from app.billing.delivery.repository import DeliveryRepository
from app.billing.errors import DeliveryNotFailed
from app.billing.exports.delivering import queue_again
from app.billing.exports.repository import ExportRepository
from app.billing.exports.schemas import DeliveryCreate, DeliveryRead
from app.billing.permissions import CLAIM_EXPORT
from app.core.db.uow import UnitOfWork
from app.core.dependencies import Uow
from app.core.errors import NotFound
from app.core.idempotency.creation import Creation
from app.core.ids import new_id


class RedeliveryService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._deliveries = DeliveryRepository(uow)

    async def create(self, export_id: uuid.UUID, given: DeliveryCreate, creation: Creation) -> DeliveryRead:
        """Raises Forbidden, NotFound (export, file), DeliveryNotFailed."""
        self._uow.principal.require(CLAIM_EXPORT)
        reservation = await creation.reserve(self._uow, given, entity_id=new_id())
        if reservation.repeated:
            return DeliveryRead.model_validate(await self._deliveries.get(self._uow.tenant_id, reservation.entity_id))
        export = await ExportRepository(self._uow).find(self._uow.tenant_id, export_id)
        if export is None or all(file.file_number != given.file_number for file in export.files):
            raise NotFound
        last = await self._last(export_id, given.file_number)
        if last is None:
            raise DeliveryNotFailed(status=None)
        # of two requests at once, the second waits here, and then sees the delivery of the first
        await self._deliveries.get_for_update(self._uow.tenant_id, last.id)
        last = await self._last(export_id, given.file_number) or last
        if last.status is not DeliveryStatus.FAILED:
            raise DeliveryNotFailed(status=last.status.value)
        return DeliveryRead.model_validate(await queue_again(self._uow, last, reservation.entity_id))

    async def _last(self, export_id: uuid.UUID, file_number: int) -> ClaimDelivery | None:
        found = await self._deliveries.list_all(self._uow.tenant_id, export_id=export_id)
        of_file = [delivery for delivery in found if delivery.file_number == file_number]
        return of_file[-1] if of_file else None


async def redelivery_service(uow: Uow) -> RedeliveryService:
    return RedeliveryService(uow)


Redeliveries = Annotated[RedeliveryService, Depends(redelivery_service)]
