"""The service of late entries: what waits, and what becomes of it."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import Depends

from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.errors import NotFound
from app.core.pagination import Page, Paging
from app.core.repository import require_version
from app.ems.entries.children import ChildService
from app.ems.entries.kinds import CHILD_KINDS
from app.ems.incidents.models import Incident
from app.ems.incidents.repository import IncidentRepository
from app.ems.late_entries.holding import present_late
from app.ems.late_entries.lifecycle import LateEntryTransition, late_entry_lifecycle
from app.ems.late_entries.models import LateEntry
from app.ems.late_entries.repository import LateEntryRepository, LateEntryWorkRepository
from app.ems.late_entries.schemas import LateEntryRead, LateEntryTransitionRequest


class LateEntryReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._late = LateEntryRepository(uow)

    async def list_of_chart(self, incident_id: uuid.UUID, paging: Paging, **filters: Any) -> Page[LateEntryRead]:
        """A page of the late entries of one chart. Raises NotFound for the incident."""
        await IncidentRepository(self._uow).get(self._uow.tenant_id, incident_id)
        page = await self._late.list_page(self._uow.tenant_id, paging, incident_id=incident_id, **filters)
        return self._presented(page)

    async def list_work(self, paging: Paging, **filters: Any) -> Page[LateEntryRead]:
        """A page of the late entries of all charts."""
        work = LateEntryWorkRepository(self._uow)
        return self._presented(await work.list_page(self._uow.tenant_id, paging, **filters))

    def _presented(self, page: Page[LateEntry]) -> Page[LateEntryRead]:
        items = [present_late(late, self._uow.principal) for late in page.items]
        return Page(items=items, next_cursor=page.next_cursor)


class AdmissionService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def decide(
        self, incident_id: uuid.UUID, late_id: uuid.UUID, given: LateEntryTransitionRequest
    ) -> LateEntryRead:
        """Admit a late entry to the chart, or refuse it.

        The incident is locked FOR SHARE, so the chart is not completed meanwhile. Raises NotFound, Forbidden (a
        bystander), InvalidTransition, Conflict (stale), ValidationFailed for a missing reason; and, of an admission,
        ChartNotEditable, LimitReached, or ValidationFailed for what does not fit the chart as it is by now.
        """
        incident = await IncidentRepository(self._uow).get_for_share(self._uow.tenant_id, incident_id)
        late = await LateEntryRepository(self._uow).get_for_update(self._uow.tenant_id, late_id)
        if late.incident_id != incident_id:
            raise NotFound
        late_entry_lifecycle.require(late, given.action, self._uow.principal, None, reason=given.reason)
        require_version(late, given.version)
        also: dict[str, Any] = {"decided_by": self._uow.principal.user_id, "decided_at": utcnow()}
        if given.action is LateEntryTransition.ADMIT:
            await self._admit(incident, late)
        else:
            also["refusal_reason"] = given.reason
        await late_entry_lifecycle.fire(self._uow, late, given.action, None, reason=given.reason, **also)
        return present_late(late, self._uow.principal)

    async def _admit(self, incident: Incident, late: LateEntry) -> None:
        kind = CHILD_KINDS[late.entity]
        service: ChildService[Any, Any] = ChildService(self._uow, kind)
        body = kind.part.create.model_validate(late.body)
        await service.admit(incident, late.entity_id, body, {"late_entry_id": str(late.id)})


async def late_entry_reader(uow: ReadUow) -> LateEntryReader:
    return LateEntryReader(uow)


async def admission_service(uow: Uow) -> AdmissionService:
    return AdmissionService(uow)


LateEntries = Annotated[LateEntryReader, Depends(late_entry_reader)]
Admission = Annotated[AdmissionService, Depends(admission_service)]
