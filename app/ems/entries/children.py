"""The service of every chart child: one implementation, told apart by a declaration."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from app.core.clock import utcnow
from app.core.db.uow import Change, ReadUnitOfWork, UnitOfWork
from app.core.idempotency.creation import Creation
from app.core.pagination import Page
from app.core.repository import Repository, require_version
from app.ems.amendments.models import AmendmentChange
from app.ems.amendments.service import record_amendment
from app.ems.chart.columns import ChartChild
from app.ems.chart.correlation import require_new_correlation_ids
from app.ems.chart.gate import check_entry_elements, reason_metadata, require_editable, revise_entry
from app.ems.chart.schemas import ChartPatch, ChartRead, ChildCreate
from app.ems.elements import to_json
from app.ems.entries.checks import of_incident, patient_of
from app.ems.errors import EntryInUse
from app.ems.events import INCIDENT_UPDATED
from app.ems.incidents.models import Incident
from app.ems.incidents.repository import IncidentRepository
from app.ems.lifecycle import IncidentStatus
from app.ems.patients.models import Patient
from app.ems.patients.repository import PatientRepository
from app.ems.permissions import CHART_RESTORE

E = TypeVar("E", bound=ChartChild)
R = TypeVar("R", bound=ChartRead)


@dataclass(frozen=True)
class ChildActions:
    """Audit actions of a kind of child."""

    created: StrEnum
    revised: StrEnum
    amended: StrEnum
    deleted: StrEnum
    restored: StrEnum


@dataclass(frozen=True)
class Use:
    """Entries of `repository` refer to another kind by `column`; `path` names them to clients."""

    path: str
    repository: type[Repository[Any]]
    column: str


@dataclass(frozen=True)
class ChildKind(Generic[E, R]):
    """`noun` names one in summaries; `check` raises ValidationFailed for what only this kind can judge.

    `check` gets the unit of work, the entry and, for entries about a patient, that patient. `prepare` fills what a new
    entry takes from elsewhere. `used_by` keeps an entry from being deleted while others refer to it. `derive` makes
    the answer where that needs the chart's head and the patient, too.
    """

    noun: str
    path: str
    repository: type[Repository[E]]
    create: type[ChildCreate]
    patch: type[ChartPatch]
    read: type[R]
    actions: ChildActions
    check: Callable[[UnitOfWork, E, Patient | None], Awaitable[None]] | None = None
    prepare: Callable[[UnitOfWork, E], Awaitable[None]] | None = None
    used_by: tuple[Use, ...] = ()
    derive: Callable[[E, Incident, Patient | None], R] | None = None

    def present(self, entry: E, incident: Incident, patient: Patient | None) -> R:
        return self.read.of(entry) if self.derive is None else self.derive(entry, incident, patient)

    async def present_all(self, uow: ReadUnitOfWork, incident: Incident, entries: Sequence[E]) -> list[R]:
        """Answers for some entries of one chart: at most one statement, however many."""
        patients: dict[uuid.UUID | None, Patient] = {}
        if self.derive is not None:
            found = await PatientRepository(uow).list_all(uow.tenant_id, incident_id=incident.id)
            patients.update((patient.id, patient) for patient in found)
        return [self.present(entry, incident, patients.get(getattr(entry, "patient_id", None))) for entry in entries]


class ChildReader(Generic[E, R]):
    def __init__(self, uow: ReadUnitOfWork, kind: ChildKind[E, R]) -> None:
        self._uow = uow
        self._kind = kind
        self._incidents = IncidentRepository(uow)
        self._children = kind.repository(uow)

    async def get(self, incident_id: uuid.UUID, child_id: uuid.UUID) -> R:
        """Raises NotFound: for a missing or deleted incident, or a child of another one, too."""
        incident = await self._incidents.get(self._uow.tenant_id, incident_id)
        child = of_incident(await self._children.find(self._uow.tenant_id, child_id), incident_id)
        [read] = await self._kind.present_all(self._uow, incident, [child])
        return read

    async def list_page(self, incident_id: uuid.UUID, *, include_deleted: bool, **query: Any) -> Page[R]:
        """Raises NotFound for the incident; Forbidden when deleted ones are asked for by anyone but an admin."""
        listed = self._children.list_page
        if include_deleted:
            self._uow.principal.require(CHART_RESTORE)
            listed = self._children.list_including_deleted
        incident = await self._incidents.get(self._uow.tenant_id, incident_id)
        page = await listed(self._uow.tenant_id, incident_id=incident_id, **query)
        items = await self._kind.present_all(self._uow, incident, page.items)
        return Page(items=items, next_cursor=page.next_cursor)


class ChildService(Generic[E, R]):
    """Every write holds the incident FOR SHARE: an entry cannot land in a chart that is being locked.

    In a completed chart each is an admin's, gives a `reason`, and is recorded as an amendment.
    """

    def __init__(self, uow: UnitOfWork, kind: ChildKind[E, R]) -> None:
        self._uow = uow
        self._kind = kind
        self._incidents = IncidentRepository(uow)
        self._children = kind.repository(uow)

    async def create(self, incident_id: uuid.UUID, given: Any, creation: Creation) -> R:
        """Raises NotFound, ChartNotEditable, ValidationFailed."""
        claim = await creation.claim(self._uow, given)
        if claim.repeated:
            child = await self._children.get(self._uow.tenant_id, claim.entity_id)
            incident = await self._incidents.get(self._uow.tenant_id, child.incident_id)
            [read] = await self._kind.present_all(self._uow, incident, [child])
            return read
        incident = await self._incidents.get_for_share(self._uow.tenant_id, incident_id)
        require_editable(incident, self._uow.principal, given.reason)
        values = {**given.values(), "elements": to_json(given.elements)}
        child = self._children.entity(
            id=claim.entity_id, tenant_id=self._uow.tenant_id, incident_id=incident_id, **values
        )
        if self._kind.prepare is not None:
            await self._kind.prepare(self._uow, child)
        patient = await self._check(child)
        async with self._change(child, self._kind.actions.created, given.reason):
            pass
        await self._amended(incident, child, AmendmentChange.CREATED, 0, given.reason)
        return self._kind.present(child, incident, patient)

    async def revise(self, incident_id: uuid.UUID, child_id: uuid.UUID, patch: ChartPatch) -> R:
        """Raises NotFound, ChartNotEditable, Conflict (stale), ValidationFailed."""
        incident = await self._incidents.get_for_share(self._uow.tenant_id, incident_id)
        require_editable(incident, self._uow.principal, patch.reason)
        child = of_incident(await self._children.find(self._uow.tenant_id, child_id), incident_id)
        amends = incident.status is IncidentStatus.COMPLETED
        action = self._kind.actions.amended if amends else self._kind.actions.revised
        patient: Patient | None = None

        async def check(entry: E) -> None:
            nonlocal patient
            patient = await self._check(entry)

        await revise_entry(self._uow, child, patch, action, check)
        await self._amended(incident, child, AmendmentChange.REVISED, patch.version, patch.reason)
        return self._kind.present(child, incident, patient)

    async def delete(
        self, incident_id: uuid.UUID, child_id: uuid.UUID, version: int, reason: str | None = None
    ) -> None:
        """Raises NotFound, ChartNotEditable, Conflict (stale), EntryInUse."""
        incident = await self._incidents.get_for_share(self._uow.tenant_id, incident_id)
        require_editable(incident, self._uow.principal, reason)
        child = of_incident(await self._children.find_for_update(self._uow.tenant_id, child_id), incident_id)
        require_version(child, version)
        await self._require_unused(child)
        async with self._change(child, self._kind.actions.deleted, reason):
            child.deleted_at = utcnow()
        await self._amended(incident, child, AmendmentChange.DELETED, version, reason)

    async def restore(self, incident_id: uuid.UUID, child_id: uuid.UUID, version: int, reason: str | None = None) -> R:
        """Raises Forbidden, NotFound, ChartNotEditable, Conflict (stale), ValidationFailed (patient or parent gone)."""
        self._uow.principal.require(CHART_RESTORE)
        incident = await self._incidents.get_for_share(self._uow.tenant_id, incident_id)
        require_editable(incident, self._uow.principal, reason)
        found = await self._children.get_including_deleted(self._uow.tenant_id, child_id)
        child = of_incident(found, incident_id)
        require_version(child, version)
        async with self._change(child, self._kind.actions.restored, reason):
            child.deleted_at = None
            patient = await self._check(child)
        await self._amended(incident, child, AmendmentChange.RESTORED, version, reason)
        return self._kind.present(child, incident, patient)

    def _change(self, child: E, action: StrEnum, reason: str | None) -> Change[E]:
        return self._uow.change(child, action, event=INCIDENT_UPDATED, metadata=reason_metadata(reason))

    async def _amended(
        self, incident: Incident, child: E, change: AmendmentChange, before: int, reason: str | None
    ) -> None:
        await record_amendment(self._uow, incident, child, change, version_before=before, reason=reason)

    async def _require_unused(self, child: E) -> None:
        """`child` is locked for update, and whoever refers to it holds it for share: the answer stays true."""
        for use in self._kind.used_by:
            query: dict[str, Any] = {"incident_id": child.incident_id, use.column: child.id}
            page = await use.repository(self._uow).list_page(self._uow.tenant_id, limit=1, cursor=None, **query)
            if page.items:
                raise EntryInUse(used_by=use.path)

    async def _check(self, child: E) -> Patient | None:
        """Whom the entry is about. Raises ValidationFailed."""
        check_entry_elements(child)
        patient = await patient_of(self._uow, child)
        await require_new_correlation_ids(self._uow, child)
        if self._kind.check is not None:
            await self._kind.check(self._uow, child, patient)
        return patient
