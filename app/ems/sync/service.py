"""The service of a sync: change by change in order, each with its own result."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import ValidationError

from app.core.audit.refusals import record_refusal
from app.core.dependencies import RuntimeDependency, UowFactory
from app.core.errors import (
    AppError,
    Conflict,
    Forbidden,
    IdTaken,
    NotFound,
    ServiceUnavailable,
    ValidationFailed,
)
from app.core.http import as_app_error, bounded, invalid, is_contention
from app.ems.entries.repeats import deletion_of
from app.ems.errors import DependencyRefused
from app.ems.incidents.repository import IncidentRepository
from app.ems.late_entries.schemas import LateEntryRead
from app.ems.parts import INCIDENT
from app.ems.sync.bodies import as_in_a_body, named_in, read_body, with_problems
from app.ems.sync.schemas import (
    Conflicting,
    Held,
    PartlySaved,
    Refused,
    Saved,
    SyncChange,
    SyncError,
    SyncOperation,
    SyncOutcome,
    SyncProblem,
    SyncResult,
    Unreadable,
)
from app.ems.sync.writers import SyncedChart, Writer, Written, writer_of

_TOO_LATE = (NotFound.status, Conflict.status)


@dataclass
class _Progress:
    """What the changes that were tried mean for those that follow. `missing` are creations that were refused."""

    missing: set[uuid.UUID] = field(default_factory=set)
    away: AppError | None = None

    def lacks(self, change: SyncChange, incident_id: uuid.UUID) -> uuid.UUID | None:
        """The record that the change needs, if its creation was refused."""
        if not self.missing:
            return None
        if change.op is not SyncOperation.CREATE and change.id in self.missing:
            return change.id
        if incident_id in self.missing and change.kind != INCIDENT.entity_type:
            return incident_id
        named = set(named_in(change.data))
        return next((each for each in self.missing if str(each) in named), None)

    def note(self, change: SyncChange | Unreadable, result: SyncOutcome) -> None:
        """An id that is taken exists, perhaps in this chart: what needs it is tried, and refused by its own service."""
        if change.op is not SyncOperation.CREATE or change.id is None:
            return
        if isinstance(result, Refused) and result.error.code != IdTaken.code:
            self.missing.add(change.id)
        else:
            self.missing.discard(change.id)


class SyncService:
    """Saves changes of one chart. `on_forbidden` records that a permission was missing."""

    def __init__(self, chart: SyncedChart, on_forbidden: Callable[[Forbidden], Awaitable[None]]) -> None:
        self._chart = chart
        self._on_forbidden = on_forbidden

    async def apply(self, changes: list[SyncChange | Unreadable]) -> SyncResult:
        """Apply the changes in order, and return the result of each.

        Raises NotFound for an incident that nobody creates here, Conflict for one that was deleted. When the database
        is away, the remaining changes are refused untried: each would wait for the same failure.
        """
        await self._require_chart(changes)
        progress = _Progress()
        results: list[SyncOutcome] = []
        for change in changes:
            if isinstance(change, Unreadable):
                result: SyncOutcome = _refused(change, invalid(change.problems, SyncChange))
            else:
                result = await self._result(change, progress)
            progress.note(change, result)
            results.append(result)
        return SyncResult(results=results)

    async def _require_chart(self, changes: list[SyncChange | Unreadable]) -> None:
        async with self._chart.unit_of_work() as uow:
            try:
                found = await IncidentRepository(uow).get_including_deleted(uow.tenant_id, self._chart.incident_id)
            except NotFound:
                if any(_opens(change, self._chart.incident_id) for change in changes):
                    return
                raise
            if found.deleted_at is not None:
                raise (await deletion_of(uow, found)).conflict()

    async def _result(self, change: SyncChange, progress: _Progress) -> SyncOutcome:
        if progress.away is not None:
            return _refused(change, progress.away)
        missing = progress.lacks(change, self._chart.incident_id)
        if missing is not None:
            return _refused(change, DependencyRefused(id=str(missing)))
        writer = writer_of(self._chart, change)
        try:
            return await self._save(writer, change)
        except Exception as error:
            refusal = as_app_error(error)  # which logs it
            if isinstance(refusal, Forbidden):
                await self._on_forbidden(refusal)
            if refusal.status == ServiceUnavailable.status and not is_contention(error) and writer.needs_database_only:
                progress.away = ServiceUnavailable()
            return _refused(change, refusal)

    async def _save(self, writer: Writer, change: SyncChange) -> SyncOutcome:
        """Save a change. Raises its refusal, with every problem that was found."""
        body, problems = read_body(change, writer.part, writer.bodies)
        try:
            return _saved(change, await self._attempt(writer, change, body), problems)
        except _TooLate as late:
            return late.result
        except ValidationFailed as refusal:
            if not problems:
                raise
            raise with_problems(refusal, [*problems, *refusal.details.get("problems", ())]) from refusal

    async def _attempt(self, writer: Writer, change: SyncChange, body: Any) -> Written:
        """Write a change; once more if it lost against another transaction. Nothing is left of a first attempt."""
        try:
            return await _written(writer, change, body)
        except Exception as error:
            if not is_contention(error):
                return await self._judged(writer, change, body, error)
        try:
            return await _written(writer, change, body)
        except Exception as error:
            return await self._judged(writer, change, body, error)

    async def _judged(self, writer: Writer, change: SyncChange, body: Any, error: Exception) -> Written:
        """What a refusal means if the change comes too late: it was saved before, or it conflicts with what came since.

        Raises `error` if it means something else, and _TooLate with the result of a conflict.
        """
        if not isinstance(error, AppError) or error.status not in _TOO_LATE or isinstance(error, IdTaken):
            raise error
        async with self._chart.unit_of_work() as uow:
            row = await writer.find(uow)
            if row is None:
                raise error
            if row.deleted_at is not None:
                deletion = await deletion_of(uow, row)
                if deletion.own and await writer.was_made(uow, change, body, row):
                    return Written(200, deletion.version, None)
                raise _TooLate(
                    _conflicting(change, row, None, deleted_at=deletion.at, deleted_by=deletion.by)
                ) from error
            if change.op is SyncOperation.TRANSITION and await writer.was_made(uow, change, body, row):
                return Written(200, row.version, await writer.get(uow))
            if isinstance(error, Conflict):
                raise _TooLate(_conflicting(change, row, await writer.get(uow))) from error
        raise error


class _TooLate(Exception):
    """Ends the work on a change with the result of a conflict."""

    def __init__(self, result: Conflicting) -> None:
        self.result = result
        super().__init__()


async def _written(writer: Writer, change: SyncChange, body: Any) -> Written:
    try:
        return await writer.write(change, body)
    except ValidationError as error:
        raise as_app_error(as_in_a_body(error)) from error


def _opens(change: SyncChange | Unreadable, incident_id: uuid.UUID) -> bool:
    """True if the change is there to create the incident, though its kind may be misspelt."""
    return change.op is SyncOperation.CREATE and change.id == incident_id


def _saved(change: SyncChange, written: Written, wrong: list[dict[str, str]]) -> Saved | PartlySaved | Held:
    about: dict[str, Any] = {"kind": change.kind, "op": change.op, "id": change.id, **written._asdict()}
    problems = [SyncProblem(**problem) for problem in wrong]
    if isinstance(written.resource, LateEntryRead):
        return Held(
            kind=change.kind,
            op=change.op,
            id=change.id,
            status=202,
            late_entry=written.resource,
            problems=problems,
        )
    if problems:
        return PartlySaved(**about, problems=problems)
    return Saved(**about)


def _conflicting(change: SyncChange, row: Any, resource: Any, **deletion: Any) -> Conflicting:
    return Conflicting(
        kind=change.kind,
        op=change.op,
        id=change.id,
        status=Conflict.status,
        server_version=row.version,
        updated_at=row.updated_at,
        resource=resource,
        **deletion,
    )


def _refused(change: SyncChange | Unreadable, error: AppError) -> Refused:
    described = SyncError(code=error.code, message=error.message, details=bounded(error.details))
    return Refused(kind=change.kind, op=change.op, id=change.id, status=error.status, error=described)


async def sync_service(
    request: Request, incident_id: uuid.UUID, unit_of_work: UowFactory, runtime: RuntimeDependency
) -> SyncService:
    address = request.url.path.removesuffix("/sync")
    chart = SyncedChart(unit_of_work, runtime.objects, incident_id, address.rpartition("/")[0], address)

    async def on_forbidden(refusal: Forbidden) -> None:
        await record_refusal(request, refusal)

    return SyncService(chart, on_forbidden)


Sync = Annotated[SyncService, Depends(sync_service)]
