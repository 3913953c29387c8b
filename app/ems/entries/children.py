"""The service of all entries that are fields. One implementation serves them; a `ChildKind` says what differs."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.db.uow import Change, ReadUnitOfWork, UnitOfWork
from app.core.errors import NotFound
from app.core.idempotency.creation import Creation
from app.core.pagination import Page, Paging, PagingWithDeleted
from app.core.repository import Repository, require_version
from app.ems.amendments.models import AmendmentChange
from app.ems.amendments.service import record_amendment
from app.ems.chart.columns import ChartChild
from app.ems.chart.correlation import require_new_correlation_ids
from app.ems.chart.gate import (
    check_entry_elements,
    reason_metadata,
    require_consistent,
    require_editable,
    require_sight_of_deleted,
    revise_entry,
)
from app.ems.chart.picks import take_snapshots
from app.ems.chart.schemas import ChartPatch, ChartRead
from app.ems.elements import to_json
from app.ems.entries.checks import made_before, of_incident, patient_of, require_room
from app.ems.entries.repeats import find_undeleted, get_live, patched_before
from app.ems.errors import EntryInUse
from app.ems.events import INCIDENT_UPDATED
from app.ems.incidents.models import Incident
from app.ems.incidents.repository import IncidentRepository
from app.ems.incidents.schemas import IncidentRead
from app.ems.late_entries.holding import comes_late, hold, present_late
from app.ems.late_entries.models import LateEntry
from app.ems.late_entries.repository import LateEntryRepository
from app.ems.late_entries.schemas import LateEntryRead
from app.ems.lifecycle import IncidentStatus
from app.ems.parts import ChartPart
from app.ems.patients.models import Patient
from app.ems.patients.repository import PatientRepository
from app.ems.permissions import CHART_ENTRY_RESTORE

E = TypeVar("E", bound=ChartChild)
R = TypeVar("R", bound=ChartRead)


@dataclass(frozen=True)
class ChildActions:
    """The audit actions of a kind of entry. `moved`: it was given to another patient; None where it names none."""

    created: AuditAction
    revised: AuditAction
    amended: AuditAction
    deleted: AuditAction
    restored: AuditAction
    moved: AuditAction | None = None

    def all(self) -> tuple[AuditAction, ...]:
        always = self.created, self.revised, self.amended, self.deleted, self.restored
        return always if self.moved is None else (*always, self.moved)


@dataclass(frozen=True)
class Use:
    """A reference from entries of `repository` to another kind, by `column`. `path` names those entries to clients."""

    path: str
    repository: type[Repository[Any]]
    column: str


@dataclass(frozen=True)
class ChildKind(Generic[E, R]):
    """A part of the chart with its rules of writing.

    `check` raises ValidationFailed for what only this kind can tell; it gets the unit of work, the entry and, for
    entries about a patient, that patient. `prepare` fills what a new entry takes from elsewhere. `used_by` keeps an
    entry from being deleted while others refer to it. `derive` makes the answer where that needs the incident and the
    patient, too.
    """

    part: ChartPart[E, R]
    actions: ChildActions
    check: Callable[[UnitOfWork, E, Patient | None], Awaitable[None]] | None = None
    prepare: Callable[[UnitOfWork, E], Awaitable[None]] | None = None
    used_by: tuple[Use, ...] = ()
    derive: Callable[[E, Incident | IncidentRead, Patient | None], R] | None = None

    def present(self, entry: E, incident: Incident | IncidentRead, patient: Patient | None) -> R:
        return self.part.read.of(entry) if self.derive is None else self.derive(entry, incident, patient)

    async def present_all(self, uow: ReadUnitOfWork, incident: Incident, entries: Sequence[E]) -> list[R]:
        """Answers for some entries of one chart, with at most one statement for any number of them."""
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
        self._children = kind.part.repository(uow)

    async def get(self, incident_id: uuid.UUID, child_id: uuid.UUID) -> R:
        """One entry. Raises NotFound, also for a missing or deleted incident and for another incident's entry."""
        incident = await self._incidents.get(self._uow.tenant_id, incident_id)
        child = of_incident(await self._children.find(self._uow.tenant_id, child_id), incident_id)
        [read] = await self._kind.present_all(self._uow, incident, [child])
        return read

    async def list_page(self, incident_id: uuid.UUID, paging: PagingWithDeleted) -> Page[R]:
        """A page of entries. Raises NotFound; Forbidden for deleted ones, to who may not restore them."""
        incident = await self._incidents.get(self._uow.tenant_id, incident_id)
        listed = self._children.list_page
        if paging.include_deleted:
            require_sight_of_deleted(incident, self._uow.principal)
            listed = self._children.list_including_deleted
        page = await listed(self._uow.tenant_id, paging, incident_id=incident_id, **paging.filters())
        items = await self._kind.present_all(self._uow, incident, page.items)
        return Page(items=items, next_cursor=page.next_cursor)


class ChildService(Generic[E, R]):
    """Writes of entries. Every write locks the incident FOR SHARE, so none lands in a chart that is being locked.

    In a completed chart a write is an admin's, gives a `reason`, and is recorded as an amendment.
    """

    def __init__(self, uow: UnitOfWork, kind: ChildKind[E, R]) -> None:
        self._uow = uow
        self._kind = kind
        self._incidents = IncidentRepository(uow)
        self._children = kind.part.repository(uow)

    async def create(self, incident_id: uuid.UUID, given: Any, creation: Creation) -> R | LateEntryRead:
        """Add an entry, or keep it beside a chart that waits for review, for its author and reviewer to decide.

        The same request sent again answers what became of the entry. What is kept has passed every check of a
        creation. Raises NotFound, ChartNotEditable, EntryDeleted (it was added before), LimitReached, ValidationFailed.
        """
        reservation = await creation.reserve(self._uow, given)
        if reservation.repeated:
            return await self._made_before(reservation.entity_id)
        incident = await self._incidents.get_for_share(self._uow.tenant_id, incident_id)
        if not comes_late(incident, self._children.entity.entity_type):
            return await self._add(incident, reservation.entity_id, given, reason_metadata(given.reason))
        await require_room(self._uow, LateEntry, incident_id)
        child, _ = await self._new(incident, reservation.entity_id, given)
        return present_late(await hold(self._uow, incident, child.entity_type, child.id, given), self._uow.principal)

    async def admit(self, incident: Incident, entry_id: uuid.UUID, given: Any, metadata: dict[str, str]) -> None:
        """Add an entry that was kept. The caller has locked the incident; `metadata` is the audit event's.

        Raises ChartNotEditable, LimitReached, ValidationFailed.
        """
        await self._add(incident, entry_id, given, metadata)

    async def _made_before(self, entry_id: uuid.UUID) -> R | LateEntryRead:
        """The entry that a repeated creation made, or what was kept of it. Raises NotFound, EntryDeleted."""
        try:
            child = await made_before(self._children, self._uow.tenant_id, entry_id)
        except NotFound:
            late = await LateEntryRepository(self._uow).find_by_entry(self._uow.tenant_id, entry_id)
            if late is None:
                raise
            return present_late(late, self._uow.principal)
        incident = await self._incidents.get(self._uow.tenant_id, child.incident_id)
        [read] = await self._kind.present_all(self._uow, incident, [child])
        return read

    async def _add(self, incident: Incident, entry_id: uuid.UUID, given: Any, metadata: dict[str, str] | None) -> R:
        require_editable(incident, self._uow.principal, given.reason)
        await require_room(self._uow, self._children.entity, incident.id)
        child, patient = await self._new(incident, entry_id, given)
        async with self._uow.change(child, self._kind.actions.created, event=INCIDENT_UPDATED, metadata=metadata):
            pass
        await self._amended(incident, child, AmendmentChange.CREATED, 0, given.reason)
        return self._kind.present(child, incident, patient)

    async def _new(self, incident: Incident, entry_id: uuid.UUID, given: Any) -> tuple[E, Patient | None]:
        """An entry that is not stored yet, and whom it is about. Raises ValidationFailed."""
        values = {**given.values(), "elements": to_json(given.elements)}
        child = self._children.entity(id=entry_id, tenant_id=self._uow.tenant_id, incident_id=incident.id, **values)
        await take_snapshots(self._uow, child, values)
        if self._kind.prepare is not None:
            await self._kind.prepare(self._uow, child)
        require_consistent(child)
        return child, await self._check(child)

    async def revise(self, incident_id: uuid.UUID, child_id: uuid.UUID, patch: ChartPatch) -> R:
        """Save changed fields, once for a PATCH that is sent again.

        Raises NotFound, ChartNotEditable, EntryHeld, Conflict (stale or deleted), ValidationFailed.
        """
        incident = await self._incidents.get_for_share(self._uow.tenant_id, incident_id)
        child = await get_live(self._uow, self._children, incident_id, child_id)
        if patch.version < child.version and await patched_before(self._uow, child, patch):
            [read] = await self._kind.present_all(self._uow, incident, [child])
            return read
        require_editable(incident, self._uow.principal, patch.reason)
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
        """Soft-delete an entry, once for a deletion that is sent again.

        Raises NotFound, ChartNotEditable, EntryHeld, Conflict (stale or deleted), EntryInUse.
        """
        incident = await self._incidents.get_for_share(self._uow.tenant_id, incident_id)
        child = await find_undeleted(self._uow, self._children, incident_id, child_id, version)
        if child is None:
            return
        require_editable(incident, self._uow.principal, reason)
        require_version(child, version)
        await self._require_unused(child)
        async with self._change(child, self._kind.actions.deleted, reason):
            child.deleted_at = utcnow()
        await self._amended(incident, child, AmendmentChange.DELETED, version, reason)

    async def restore(self, incident_id: uuid.UUID, child_id: uuid.UUID, version: int, reason: str | None = None) -> R:
        """Bring a deleted entry back.

        Raises Forbidden, NotFound, ChartNotEditable, Conflict (stale), LimitReached, ValidationFailed (patient or
        parent is gone).
        """
        self._uow.principal.require(CHART_ENTRY_RESTORE)
        incident = await self._incidents.get_for_share(self._uow.tenant_id, incident_id)
        require_editable(incident, self._uow.principal, reason)
        found = await self._children.get_including_deleted(self._uow.tenant_id, child_id)
        child = of_incident(found, incident_id)
        require_version(child, version)
        await require_room(self._uow, self._children.entity, incident_id)
        async with self._change(child, self._kind.actions.restored, reason):
            child.deleted_at = None
            patient = await self._check(child)
        await self._amended(incident, child, AmendmentChange.RESTORED, version, reason)
        return self._kind.present(child, incident, patient)

    async def move(self, incident: Incident, child: E, patient_id: uuid.UUID, reason: str | None) -> None:
        """Give an entry to another patient of the incident. The caller has locked both, and the gate has let it pass.

        Raises ValidationFailed.
        """
        action, before = self._kind.actions.moved, child.version
        if action is None:
            raise AssertionError(f"{child.entity_type} is about no patient")
        async with self._change(child, action, reason):
            setattr(child, "patient_id", patient_id)  # noqa: B010  # kinds that move have it
            await self._check(child)
        await self._amended(incident, child, AmendmentChange.REVISED, before, reason)

    def _change(self, child: E, action: AuditAction, reason: str | None) -> Change[E]:
        return self._uow.change(child, action, event=INCIDENT_UPDATED, metadata=reason_metadata(reason))

    async def _amended(
        self, incident: Incident, child: E, change: AmendmentChange, before: int, reason: str | None
    ) -> None:
        await record_amendment(self._uow, incident, child, change, version_before=before, reason=reason)

    async def _require_unused(self, child: E) -> None:
        """Require that no live entry refers to this one. Raises EntryInUse.

        The answer stays true: this entry is locked FOR UPDATE, and a write of an entry that refers to it would lock it
        FOR SHARE.
        """
        for use in self._kind.used_by:
            filters: dict[str, Any] = {"incident_id": child.incident_id, use.column: child.id}
            page = await use.repository(self._uow).list_page(self._uow.tenant_id, Paging(limit=1), **filters)
            if page.items:
                raise EntryInUse(used_by=use.path)

    async def _check(self, child: E) -> Patient | None:
        """Check an entry, and return the patient whom it is about. Raises ValidationFailed."""
        check_entry_elements(child)
        patient = await patient_of(self._uow, child)
        await require_new_correlation_ids(self._uow, child)
        if self._kind.check is not None:
            await self._kind.check(self._uow, child, patient)
        return patient
