"""Recording why a locked chart has no claim: from the chart, or by a biller's word."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import Depends

from app.billing.errors import ChartNotLocked
from app.billing.exemptions.models import ClaimExemption, ExemptionOrigin, ExemptionReason
from app.billing.exemptions.repository import ExemptionRepository
from app.billing.exemptions.schemas import ExemptionCreate, ExemptionRead
from app.billing.permissions import CLAIM_WRITE
from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.errors import ValidationFailed
from app.core.idempotency.creation import Creation
from app.core.pagination import Page, Paging
from app.core.repository import require_version
from app.ems.public import IncidentStatus, hold_incident, list_patients


class ExemptionAction(AuditAction):
    CREATED = "claim_exemption.created"
    REVISED = "claim_exemption.revised"
    DELETED = "claim_exemption.deleted"


async def exempt(
    uow: UnitOfWork, incident_id: uuid.UUID, patient_id: uuid.UUID | None, reason: ExemptionReason
) -> None:
    """Records what the chart says about a patient, or about the whole call. The same again changes nothing.

    A reason that a biller gave stays. Whoever calls holds the incident, so that two calls do not cross.
    """
    found = await ExemptionRepository(uow).find_of(uow.tenant_id, incident_id, patient_id)
    if found is None:
        exemption = ClaimExemption(
            tenant_id=uow.tenant_id,
            incident_id=incident_id,
            patient_id=patient_id,
            reason=reason,
            origin=ExemptionOrigin.DERIVED,
        )
        await uow.create(exemption, ExemptionAction.CREATED)
    elif found.origin is ExemptionOrigin.DERIVED:
        async with uow.change(found, ExemptionAction.REVISED):
            found.reason = reason


class ExemptionReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._exemptions = ExemptionRepository(uow)

    async def get(self, exemption_id: uuid.UUID) -> ExemptionRead:
        """Raises NotFound."""
        return ExemptionRead.of(await self._exemptions.get(self._uow.tenant_id, exemption_id))

    async def list_page(self, paging: Paging, **filters: Any) -> Page[ExemptionRead]:
        page = await self._exemptions.list_page(self._uow.tenant_id, paging, **filters)
        return Page(items=[ExemptionRead.of(item) for item in page.items], next_cursor=page.next_cursor)


class ExemptionService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._exemptions = ExemptionRepository(uow)

    async def create(self, given: ExemptionCreate, creation: Creation) -> ExemptionRead:
        """A biller's reason. Raises Forbidden, NotFound (incident), ChartNotLocked, ValidationFailed, AlreadyExists."""
        self._uow.principal.require(CLAIM_WRITE)
        reservation = await creation.reserve(self._uow, given)
        if reservation.repeated:
            return await ExemptionReader(self._uow).get(reservation.entity_id)
        incident = await hold_incident(self._uow, given.incident_id)
        if incident.status is not IncidentStatus.LOCKED:
            raise ChartNotLocked(status=incident.status.value)
        if given.patient_id is not None:
            patients = await list_patients(self._uow, given.incident_id)
            if all(patient.id != given.patient_id for patient in patients):
                raise ValidationFailed.of("patient_id", "unknown_patient", "This incident has no such patient.")
        exemption = ClaimExemption(
            id=reservation.entity_id,
            tenant_id=self._uow.tenant_id,
            origin=ExemptionOrigin.ENTERED,
            **given.values(),
        )
        await self._uow.create(exemption, ExemptionAction.CREATED)
        return ExemptionRead.of(exemption)

    async def delete(self, exemption_id: uuid.UUID, version: int) -> None:
        """Soft delete: the chart wants a claim or a reason again. Raises Forbidden, NotFound, Conflict (stale)."""
        self._uow.principal.require(CLAIM_WRITE)
        exemption = await self._exemptions.get_for_update(self._uow.tenant_id, exemption_id)
        require_version(exemption, version)
        async with self._uow.change(exemption, ExemptionAction.DELETED):
            exemption.deleted_at = utcnow()


async def exemption_service(uow: Uow) -> ExemptionService:
    return ExemptionService(uow)


async def exemption_reader(uow: ReadUow) -> ExemptionReader:
    return ExemptionReader(uow)


Exemptions = Annotated[ExemptionService, Depends(exemption_service)]
ExemptionReads = Annotated[ExemptionReader, Depends(exemption_reader)]
