"""Hands out a received file. Both logs keep who was given it, and of which charts."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends

from app.billing.originals.repository import OriginalRepository
from app.billing.permissions import REMITTANCE_READ
from app.billing.received.models import ReceivedFile
from app.billing.received.repository import ReceivedFileRepository
from app.billing.received.service import ReceivedFileAction
from app.core.audit.access import Purpose
from app.core.audit.disclosures import Disclosure, Means, disclose
from app.core.db.uow import UnitOfWork
from app.core.dependencies import RuntimeDependency, UowFactory
from app.core.errors import NotFound
from app.core.outbound.outside import call_outside
from app.core.storage.gateway import ObjectStore

ORIGINAL = Disclosure(ReceivedFileAction.DOWNLOADED, Means.DOWNLOAD, "received_file", Purpose.PAYMENT)
"""A file of a payer or clearinghouse, for the biller. It covers the charts of the claims that were found in it."""


class OriginalService:
    def __init__(self, units: Callable[[], UnitOfWork], objects: ObjectStore) -> None:
        self._units = units
        self._objects = objects

    async def content(self, file_id: uuid.UUID) -> bytes:
        """The file as it is kept. Raises Forbidden, NotFound (also where nothing of it is kept), ServiceUnavailable."""

        async def read(uow: UnitOfWork) -> ReceivedFile:
            uow.principal.require(REMITTANCE_READ)
            return await ReceivedFileRepository(uow).get(uow.tenant_id, file_id)

        async def fetch(file: ReceivedFile) -> bytes:
            if file.artifact_key is None:
                raise NotFound
            return await self._objects.get(file.artifact_key)

        async def record(uow: UnitOfWork, file: ReceivedFile, content: bytes) -> bytes:
            incident_ids = await OriginalRepository(uow).list_incident_ids(uow.tenant_id, file.id)
            entity_type = ReceivedFile.entity_type
            await disclose(uow, ORIGINAL, entity_type=entity_type, entity_id=file.id, incident_ids=incident_ids)
            return content

        return await call_outside(self._units, read, fetch, record)


async def original_service(runtime: RuntimeDependency, units: UowFactory) -> OriginalService:
    return OriginalService(units, runtime.objects)


Originals = Annotated[OriginalService, Depends(original_service)]
