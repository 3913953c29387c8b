"""The service of a sync: each change in its own unit of work, by the service of its single request."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from app.core.audit.repository import AuditEventRepository
from app.core.db.uow import UnitOfWork
from app.core.dependencies import UowFactory
from app.core.errors import AppError, Conflict, NotFound, ServiceUnavailable, ValidationFailed
from app.core.http import as_app_error, invalid, is_contention
from app.core.idempotency.creation import Creation
from app.ems.chart.schemas import ChartPatch
from app.ems.charting.service import IncidentReader, IncidentService
from app.ems.entries.children import ChildReader, ChildService
from app.ems.entries.kinds import CHILD_KINDS
from app.ems.incidents.schemas import IncidentPatch
from app.ems.parts import INCIDENT
from app.ems.sync.schemas import (
    Conflicting,
    DeleteData,
    Refused,
    Saved,
    SyncChange,
    SyncError,
    SyncOperation,
    SyncResult,
)


class SyncService:
    """Saves changes of one chart. `collections` is the address below which single requests create.

    By that address a creation is known again, whether it first came by a sync or by a single request.
    """

    def __init__(self, unit_of_work: Callable[[], UnitOfWork], incident_id: uuid.UUID, collections: str) -> None:
        self._unit_of_work = unit_of_work
        self._incident_id = incident_id
        self._collections = collections

    async def apply(self, changes: list[SyncChange]) -> SyncResult:
        """Apply the changes in order, and return the result of each. Raises NotFound for the incident.

        When the database is away, the remaining changes are refused untried: each would wait for the same failure.
        """
        async with self._unit_of_work() as uow:
            await IncidentReader(uow).get(self._incident_id)
        results: list[Saved | Conflicting | Refused] = []
        away: AppError | None = None
        for change in changes:
            if away is not None:
                results.append(_refused(change, away))
                continue
            try:
                results.append(await self._attempt(change))
            except Exception as error:
                refusal = as_app_error(error)  # which logs it
                results.append(_refused(change, refusal))
                if refusal.status == ServiceUnavailable.status and not is_contention(error):
                    away = ServiceUnavailable()
        return SyncResult(results=results)

    async def _attempt(self, change: SyncChange) -> Saved | Conflicting:
        """Apply a change; once more if it lost against another transaction. Nothing is left of a first attempt."""
        try:
            return await self._settle(change)
        except Exception as error:
            if not is_contention(error):
                raise
        return await self._settle(change)

    async def _settle(self, change: SyncChange) -> Saved | Conflicting:
        """Save a change. A change that was saved before counts as saved: its answer was lost."""
        try:
            return await self._save(change)
        except Conflict as error:
            if "server_version" not in error.details:
                raise
            return await self._revised_before(change, error) or await self._conflicting(change, error)
        except NotFound:
            if change.op is SyncOperation.DELETE and await self._deleted_before(change):
                return _saved(change, 204, _version(change) + 1, None)
            raise
        except ValidationError as error:
            raise _of_a_body(error) from error

    async def _save(self, change: SyncChange) -> Saved:
        """Save a change by the service of its single request. The unit of work has committed when this returns."""
        _require_whole(change)
        if change.op is SyncOperation.DELETE:
            given = DeleteData.model_validate(change.data)
            version = _version(change)
            async with self._unit_of_work() as uow:
                await self._entries(uow, change).delete(self._incident_id, change.id, version, given.reason)
            return _saved(change, 204, version + 1, None)
        if change.op is SyncOperation.CREATE:
            body = _body(CHILD_KINDS[change.kind].part.create, change, id=change.id)
            answer = Response(status_code=201)
            creation = Creation(answer, f"{self._collections}/{CHILD_KINDS[change.kind].part.path}", None)
            async with self._unit_of_work() as uow:
                resource = await self._entries(uow, change).create(self._incident_id, body, creation)
            return _saved(change, answer.status_code, resource.version, resource)
        async with self._unit_of_work() as uow:
            resource = await self._revise(uow, change)
        return _saved(change, 200, resource.version, resource)

    async def _revise(self, uow: UnitOfWork, change: SyncChange) -> Any:
        version = _version(change)
        if change.kind == INCIDENT.entity_type:
            if change.id != self._incident_id:
                raise NotFound
            patch: IncidentPatch = _body(IncidentPatch, change, version=version)
            return await IncidentService(uow).revise(self._incident_id, patch)
        body: Any = CHILD_KINDS[change.kind].part.patch
        given: ChartPatch = _body(body, change, version=version)
        return await self._entries(uow, change).revise(self._incident_id, change.id, given)

    async def _revised_before(self, change: SyncChange, stale: Conflict) -> Saved | None:
        """The result of a patch that was saved before, or None.

        It was, if this user made the version that is in the way, and the patch changes nothing on top of that version.
        The patch is really applied, and rolled back if it changes something.
        """
        if change.op is not SyncOperation.PATCH or stale.details["server_version"] != _version(change) + 1:
            return None
        version = _version(change) + 1
        written_at = dt.datetime.fromisoformat(stale.details["updated_at"])
        try:
            async with self._unit_of_work() as uow:
                if not await _wrote(uow, change.id, written_at):
                    return None
                resource = await self._revise(uow, change.model_copy(update={"version": version}))
                if resource.version != version:
                    raise _AnotherChange
        except (AppError, _AnotherChange):
            return None
        return _saved(change, 200, version, resource)

    async def _deleted_before(self, change: SyncChange) -> bool:
        """True if this very user deleted the version that this change is about."""
        async with self._unit_of_work() as uow:
            try:
                entry = (
                    await CHILD_KINDS[change.kind].part.repository(uow).get_including_deleted(uow.tenant_id, change.id)
                )
            except NotFound:
                return False
            return (
                entry.incident_id == self._incident_id
                and entry.deleted_at is not None
                and entry.version == _version(change) + 1
                and await _wrote(uow, change.id, entry.updated_at)
            )

    async def _conflicting(self, change: SyncChange, error: Conflict) -> Conflicting:
        resource: Any = None
        async with self._unit_of_work() as uow:
            try:
                if change.kind == INCIDENT.entity_type:
                    resource = await IncidentReader(uow).get(self._incident_id)
                else:
                    resource = await ChildReader(uow, CHILD_KINDS[change.kind]).get(self._incident_id, change.id)
            except NotFound:
                resource = None
        at_refusal = error.details
        return Conflicting(
            kind=change.kind,
            op=change.op,
            id=change.id,
            status=error.status,
            server_version=at_refusal["server_version"] if resource is None else resource.version,
            updated_at=at_refusal["updated_at"] if resource is None else resource.updated_at,
            resource=resource,
        )

    def _entries(self, uow: UnitOfWork, change: SyncChange) -> ChildService[Any, Any]:
        return ChildService(uow, CHILD_KINDS[change.kind])


class _AnotherChange(Exception):
    """Raised to roll the unit of work back: the patch would change something."""


async def _wrote(uow: UnitOfWork, entity_id: uuid.UUID, written_at: dt.datetime) -> bool:
    """True if this very user wrote the version of that time. A row and its audit event have the same time."""
    events = await AuditEventRepository(uow).list_page(
        uow.tenant_id,
        limit=1,
        since=written_at,
        until=written_at + dt.timedelta.resolution,
        entity_id=entity_id,
        actor_user_id=uow.principal.user_id,
    )
    return uow.principal.user_id is not None and bool(events)


def _require_whole(change: SyncChange) -> None:
    """Require a version where the change needs one, and an operation that its kind has. Raises ValidationFailed."""
    if (change.version is None) != (change.op is SyncOperation.CREATE):
        message = "Give the version to patch and to delete, and only then."
        raise ValidationFailed.of("version", "version_of_a_change", message)
    if change.kind == INCIDENT.entity_type and change.op is not SyncOperation.PATCH:
        raise ValidationFailed.of("op", "head_of_the_chart", "The incident itself can only be patched.")


def _body(model: type[BaseModel], change: SyncChange, **named: Any) -> Any:
    """The body of the single request. Raises ValidationError, or ValidationFailed for `id` or `version` in the data."""
    for name in named.keys() & change.data.keys():
        raise ValidationFailed.of(name, "not_in_data", "Give this beside the data, not in it.")
    try:
        return model.model_validate({**change.data, **named})
    except ValidationError as error:
        raise invalid(error.errors(include_url=False, include_input=False), model) from error


def _version(change: SyncChange) -> int:
    if change.version is None:
        raise AssertionError("the change was found whole")
    return change.version


def _of_a_body(error: ValidationError) -> RequestValidationError:
    problems = error.errors(include_url=False, include_input=False)
    return RequestValidationError([{**problem, "loc": ("body", *problem["loc"])} for problem in problems])


def _saved(change: SyncChange, status: int, version: int, resource: Any) -> Saved:
    return Saved(kind=change.kind, op=change.op, id=change.id, status=status, version=version, resource=resource)


def _refused(change: SyncChange, error: AppError) -> Refused:
    described = SyncError(code=error.code, message=error.message, details=error.details)
    return Refused(kind=change.kind, op=change.op, id=change.id, status=error.status, error=described)


async def sync_service(request: Request, incident_id: uuid.UUID, unit_of_work: UowFactory) -> SyncService:
    return SyncService(unit_of_work, incident_id, request.url.path.removesuffix("/sync"))


Sync = Annotated[SyncService, Depends(sync_service)]
