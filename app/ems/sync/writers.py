"""How each kind is written in a sync: by the service of its single requests, each change in its own unit of work."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from fastapi import Response
from pydantic import BaseModel

from app.core.audit.actions import AuditAction
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.errors import NotFound, ValidationFailed
from app.core.idempotency.creation import Creation
from app.core.lifecycle import Lifecycle
from app.core.storage.gateway import ObjectStore
from app.ems.charting.schemas import IncidentTransitionRequest
from app.ems.charting.service import IncidentReader, IncidentService
from app.ems.entries.children import ChildReader, ChildService
from app.ems.entries.kinds import CHILD_KINDS, UPLOAD_KINDS
from app.ems.entries.repeats import find_own_version, patched_before
from app.ems.entries.uploads import UploadReader, UploadService
from app.ems.incidents.schemas import IncidentPatch
from app.ems.lifecycle import incident_lifecycle
from app.ems.parts import INCIDENT, PART_OF, ChartPart
from app.ems.sync.schemas import DeleteData, SyncChange, SyncOperation


@dataclass(frozen=True, slots=True)
class SyncedChart:
    """The chart that is synchronised. `collection` is the address of all incidents, where single requests create one.

    By its address a creation is known again, whether it first came by a sync or by a single request.
    """

    unit_of_work: Callable[[], UnitOfWork]
    objects: ObjectStore
    incident_id: uuid.UUID
    collection: str
    address: str


class Written(NamedTuple):
    """What the single request would have answered. `resource` is None once the record is deleted."""

    status: int
    version: int
    resource: Any


class Writer(ABC):
    """Writes one record. `bodies` are the operations that its kind has, with the model of each body."""

    part: ChartPart[Any, Any]
    bodies: Mapping[SyncOperation, type[BaseModel]]
    lifecycle: Lifecycle[Any, Any] | None = None
    needs_database_only: ClassVar[bool] = True

    def __init__(self, chart: SyncedChart, record_id: uuid.UUID) -> None:
        self.chart = chart
        self.id = record_id

    async def write(self, change: SyncChange, body: Any) -> Written:
        """Save the change. The unit of work has committed when this returns. Raises what the single request raises."""
        match change.op:
            case SyncOperation.CREATE:
                answer = Response(status_code=201)
                created = await self.create(body, Creation(answer, self.created_at, None))
                return Written(answer.status_code, created.version, created)
            case SyncOperation.DELETE:
                version = version_of(change)
                await self.delete(version, body.reason)
                return Written(204, version + 1, None)
            case SyncOperation.PATCH:
                saved = await self.revise(body)
            case SyncOperation.TRANSITION:
                saved = await self.transition(body)
        return Written(200, saved.version, saved)

    @property
    def created_at(self) -> str:
        """The address to which a single request posts a new record of this kind."""
        return f"{self.chart.address}/{self.part.collection}"

    @abstractmethod
    async def create(self, body: Any, creation: Creation) -> Any: ...

    async def revise(self, body: Any) -> Any:
        raise AssertionError(f"{self.part.noun} has no PATCH")

    async def transition(self, body: Any) -> Any:
        raise AssertionError(f"{self.part.noun} has no transitions")

    async def delete(self, version: int, reason: str | None) -> None:
        raise AssertionError(f"{self.part.noun} is not deleted by a sync")

    @abstractmethod
    async def get(self, uow: ReadUnitOfWork) -> Any:
        """The record as answers show it. Raises NotFound, also for one of another chart."""

    async def find(self, uow: ReadUnitOfWork) -> Any:
        """The row, deleted ones included; None for one that is unknown here or of another chart."""
        try:
            row: Any = await self.part.repository(uow).get_including_deleted(uow.tenant_id, self.id)
        except NotFound:
            return None
        return row if self._is_here(row) else None

    def _is_here(self, row: Any) -> bool:
        return bool(row.incident_id == self.chart.incident_id)

    async def was_made(self, uow: ReadUnitOfWork, change: SyncChange, body: Any, row: Any) -> bool:
        """True if this very person made this very change before, whatever became of the record since.

        `row` exists, so whoever creates it again created it before: another body has been refused by then. A repeated
        deletion is known by the service of deletions.
        """
        match change.op:
            case SyncOperation.CREATE:
                return True
            case SyncOperation.PATCH:
                return await patched_before(uow, row, body)
            case SyncOperation.TRANSITION:
                return await find_own_version(uow, row, version_of(change) + 1, self._moves(body.action)) is not None
            case SyncOperation.DELETE:
                return False

    def _moves(self, action: str) -> frozenset[AuditAction]:
        """The audit log's names for what an action may end in."""
        lifecycle = self.lifecycle
        if lifecycle is None:
            raise AssertionError(f"{self.part.noun} has no transitions")
        return frozenset(each.audit_action for each in lifecycle.transitions if lifecycle.offered_name(each) == action)


_BODIES_OF_AN_INCIDENT: Mapping[SyncOperation, type[BaseModel]] = {
    SyncOperation.CREATE: INCIDENT.create,
    SyncOperation.PATCH: IncidentPatch,
    SyncOperation.TRANSITION: IncidentTransitionRequest,
}


class IncidentWriter(Writer):
    part = INCIDENT
    lifecycle = incident_lifecycle
    bodies = _BODIES_OF_AN_INCIDENT

    @property
    def created_at(self) -> str:
        return self.chart.collection

    async def create(self, body: Any, creation: Creation) -> Any:
        if self.id != self.chart.incident_id:
            message = "The incident that a sync creates has the id in the address."
            raise ValidationFailed.of("id", "another_chart", message)
        async with self.chart.unit_of_work() as uow:
            return await IncidentService(uow).create(body, creation)

    async def revise(self, body: Any) -> Any:
        self._require_this_chart()
        async with self.chart.unit_of_work() as uow:
            return await IncidentService(uow).revise(self.id, body)

    async def transition(self, body: Any) -> Any:
        self._require_this_chart()
        async with self.chart.unit_of_work() as uow:
            return await IncidentService(uow).transition(self.id, body)

    async def get(self, uow: ReadUnitOfWork) -> Any:
        self._require_this_chart()
        return await IncidentReader(uow).get(self.id)

    def _is_here(self, row: Any) -> bool:
        return bool(row.id == self.chart.incident_id)

    def _require_this_chart(self) -> None:
        if self.id != self.chart.incident_id:
            raise NotFound


class EntryWriter(Writer):
    """Writes an entry that is fields."""

    def __init__(self, chart: SyncedChart, record_id: uuid.UUID, kind: str) -> None:
        super().__init__(chart, record_id)
        self._kind = CHILD_KINDS[kind]
        self.part = self._kind.part
        patch: Any = self.part.patch
        self.bodies = {
            SyncOperation.CREATE: self.part.create,
            SyncOperation.PATCH: patch,
            SyncOperation.DELETE: DeleteData,
        }

    async def create(self, body: Any, creation: Creation) -> Any:
        async with self.chart.unit_of_work() as uow:
            return await ChildService(uow, self._kind).create(self.chart.incident_id, body, creation)

    async def revise(self, body: Any) -> Any:
        async with self.chart.unit_of_work() as uow:
            return await ChildService(uow, self._kind).revise(self.chart.incident_id, self.id, body)

    async def delete(self, version: int, reason: str | None) -> None:
        async with self.chart.unit_of_work() as uow:
            await ChildService(uow, self._kind).delete(self.chart.incident_id, self.id, version, reason)

    async def get(self, uow: ReadUnitOfWork) -> Any:
        return await ChildReader(uow, self._kind).get(self.chart.incident_id, self.id)


class UploadWriter(Writer):
    """Declares, completes, voids and deletes an upload. Its content is sent with the link of its creation."""

    needs_database_only = False

    def __init__(self, chart: SyncedChart, record_id: uuid.UUID, kind: str) -> None:
        super().__init__(chart, record_id)
        self._kind = UPLOAD_KINDS[kind]
        self._uploads = UploadService(chart.unit_of_work, chart.objects, self._kind)
        self.part = PART_OF[kind]
        self.lifecycle = self._kind.lifecycle
        self.bodies = {
            SyncOperation.CREATE: self.part.create,
            SyncOperation.TRANSITION: self._kind.transition,
            SyncOperation.DELETE: DeleteData,
        }

    async def create(self, body: Any, creation: Creation) -> Any:
        return await self._uploads.create(self.chart.incident_id, body, creation)

    async def transition(self, body: Any) -> Any:
        return await self._uploads.transition(self.chart.incident_id, self.id, body)

    async def delete(self, version: int, reason: str | None) -> None:
        await self._uploads.delete(self.chart.incident_id, self.id, version, reason)

    async def get(self, uow: ReadUnitOfWork) -> Any:
        return await UploadReader(uow, self._kind).get(self.chart.incident_id, self.id)


def writer_of(chart: SyncedChart, change: SyncChange) -> Writer:
    if change.kind == INCIDENT.entity_type:
        return IncidentWriter(chart, change.id)
    if change.kind in UPLOAD_KINDS:
        return UploadWriter(chart, change.id, change.kind)
    return EntryWriter(chart, change.id, change.kind)


def version_of(change: SyncChange) -> int:
    if change.version is None:
        raise AssertionError("the change was found whole")
    return change.version
