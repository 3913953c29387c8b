"""The service of every kind of paper. A paper that can never be good for its transport is not stored."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Generic, NamedTuple

from app.billing.paperwork.kinds import P, PaperKind, PaperVerb
from app.billing.paperwork.repository import PaperRepository
from app.billing.permissions import CLAIM_WRITE
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.errors import Problem, ValidationFailed, refuse
from app.core.idempotency.creation import Creation
from app.core.pagination import Page, Paging
from app.core.repository import require_version
from app.core.schemas import CreateModel, EntityRead, VersionedPatch
from app.core.tenants.public import current_tenant
from app.ems.public import IncidentRead, PatientRead, has_attachment, hold_incident, list_patients, service_date


class _Served(NamedTuple):
    """A patient of a call, as far as the day of service asks."""

    incident: IncidentRead
    patient: PatientRead
    alone: bool


class PaperReader(Generic[P]):
    def __init__(self, uow: ReadUnitOfWork, kind: PaperKind[P]) -> None:
        self._uow = uow
        self._kind = kind
        self._papers = PaperRepository(uow, kind.entity)

    async def get(self, paper_id: uuid.UUID) -> EntityRead:
        """Raises NotFound."""
        return self._kind.read.of(await self._papers.get(self._uow.tenant_id, paper_id))

    async def list_page(self, paging: Paging, **filters: Any) -> Page[EntityRead]:
        page = await self._papers.list_page(self._uow.tenant_id, paging, **filters)
        return Page(items=[self._kind.read.of(paper) for paper in page.items], next_cursor=page.next_cursor)


class PaperService(Generic[P]):
    def __init__(self, uow: UnitOfWork, kind: PaperKind[P]) -> None:
        self._uow = uow
        self._kind = kind
        self._papers = PaperRepository(uow, kind.entity)

    async def create(self, given: CreateModel, creation: Creation) -> EntityRead:
        """Raises Forbidden, NotFound (incident), ValidationFailed (patient, attachment, dates)."""
        self._uow.principal.require(CLAIM_WRITE)
        reservation = await creation.reserve(self._uow, given)
        if reservation.repeated:
            return await PaperReader(self._uow, self._kind).get(reservation.entity_id)
        paper = self._kind.entity(id=reservation.entity_id, tenant_id=self._uow.tenant_id, **given.values())
        await self._judge(paper)
        await self._uow.create(paper, self._kind.actions[PaperVerb.CREATE])
        return self._kind.read.of(paper)

    async def revise(self, paper_id: uuid.UUID, patch: VersionedPatch) -> EntityRead:
        """Raises Forbidden, NotFound, Conflict (stale), ValidationFailed (attachment, dates)."""
        self._uow.principal.require(CLAIM_WRITE)
        paper = await self._papers.get_for_update(self._uow.tenant_id, paper_id)
        require_version(paper, patch.version)
        async with self._uow.change(paper, self._kind.actions[PaperVerb.REVISE]):
            for name, value in patch.changes().items():
                setattr(paper, name, value)
            await self._judge(paper)
        return self._kind.read.of(paper)

    async def delete(self, paper_id: uuid.UUID, version: int) -> None:
        """Soft delete. Raises Forbidden, NotFound, Conflict (stale)."""
        self._uow.principal.require(CLAIM_WRITE)
        paper = await self._papers.get_for_update(self._uow.tenant_id, paper_id)
        require_version(paper, version)
        async with self._uow.change(paper, self._kind.actions[PaperVerb.DELETE]):
            paper.deleted_at = utcnow()

    async def _judge(self, paper: P) -> None:
        """Raises NotFound (incident), ValidationFailed (not a patient or attachment of it, or never good)."""
        incident = await hold_incident(self._uow, paper.incident_id)
        patients = await list_patients(self._uow, incident.id)
        patient = next((one for one in patients if one.id == paper.patient_id), None)
        if patient is None:
            raise ValidationFailed.of("patient_id", "unknown_patient", "This incident has no such patient.")
        scan = paper.attachment_id
        if scan is not None and not await has_attachment(self._uow, incident.id, scan):
            raise ValidationFailed.of("attachment_id", "unknown_attachment", "The chart has no such attachment.")
        zone = (await current_tenant(self._uow)).time_zone
        served_on = service_date(incident, zone, of=_Served(incident, patient, alone=len(patients) == 1))
        problems = [] if paper.signed_on is None else _signed_later(paper.signed_on)
        refuse([*problems, *self._kind.check(paper, served_on)])


def _signed_later(signed_on: dt.date) -> list[Problem]:
    """A problem with a signature that nobody can have given yet, wherever on Earth it is the latest."""
    if signed_on <= (utcnow() + dt.timedelta(hours=14)).date():
        return []
    return [Problem("signed_on", "in_the_future", "Nobody has signed on a day to come.")]
