"""Reading and exporting the logs."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Depends

from app.core.audit.actions import AuditAction
from app.core.audit.disclosures import Disclosure, Means, disclose
from app.core.audit.permissions import AUDIT_READ
from app.core.audit.repository import AccessEntryRepository, AuditEventRepository, LogRepository
from app.core.audit.schemas import AccessEntryRead, AuditEventRead, LogFormat
from app.core.audit.writer import record
from app.core.dependencies import CurrentUser, RuntimeDependency
from app.core.filters import chosen
from app.core.pagination import Page, Paging
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.core.schemas import ReadModel
from app.core.spreadsheets import csv_line

R = TypeVar("R", bound=ReadModel)
EXPORT_BATCH = 1000


class LogAction(AuditAction):
    READ = "audit_log.read"
    EXPORTED = "audit_log.exported"


LOG_EXPORT = Disclosure(LogAction.EXPORTED, Means.EXPORT, "audit_log")
"""The logs name charts and people by id, and show protected values as digests: no chart is inside."""


class LogReader(Generic[R]):
    """One of the two logs, bound to who reads it."""

    def __init__(
        self, runtime: Runtime, principal: Principal, *, name: str, repository: type[LogRepository], shown: type[R]
    ) -> None:
        self._runtime = runtime
        self._principal = principal
        self._name = name
        self._repository = repository
        self._shown = shown

    async def list_page(self, paging: Paging, **query: Any) -> Page[R]:
        """A page. It is read before its own audit event is written. Raises Forbidden, ValidationFailed (cursor)."""
        self._principal.require(AUDIT_READ)
        after = None if paging.after is None else paging.after[1]
        async with self._runtime.unit_of_work(self._principal) as uow:
            rows = await self._repository(uow).list_page(
                uow.tenant_id, limit=paging.limit + 1, after=after, **query, ascending=paging.ascending
            )
            metadata = {"log": self._name, "filters": _asked(query), "after": after}
            await record(uow, LogAction.READ, entity_type="tenant", entity_id=uow.tenant_id, metadata=metadata)
        shown, next_cursor = paging.split(rows)
        return Page[Any].model_construct(
            items=[self._shown.model_validate(row) for row in shown], next_cursor=next_cursor
        )

    async def export(self, form: LogFormat, **query: Any) -> AsyncIterator[bytes]:
        """All matching rows, oldest first, in batches. No transaction is open between them.

        The export has its own audit event, stored before the first byte is sent. Later rows are left out.
        """
        self._principal.require(AUDIT_READ)
        async with self._runtime.unit_of_work(self._principal) as uow:
            metadata = {"log": self._name, "format": form, "filters": _asked(query)}
            await disclose(uow, LOG_EXPORT, entity_type="tenant", entity_id=uow.tenant_id, metadata=metadata)
        return self._stream(form, query)

    async def _stream(self, form: LogFormat, query: dict[str, Any]) -> AsyncIterator[bytes]:
        columns = tuple(self._shown.model_fields)
        if form is LogFormat.CSV:
            yield csv_line(columns)
        after: uuid.UUID | None = None
        while rows := await self._rows(EXPORT_BATCH, after, {**query, "ascending": True}):
            after = rows[-1]["id"]
            yield b"".join(_line(form, columns, row) for row in rows)
            if len(rows) < EXPORT_BATCH:
                return

    async def _rows(self, limit: int, after: uuid.UUID | None, query: dict[str, Any]) -> list[dict[str, Any]]:
        async with self._runtime.read_unit_of_work(self._principal) as uow:
            return await self._repository(uow).list_page(uow.tenant_id, limit=limit, after=after, **query)


def _asked(query: dict[str, Any]) -> dict[str, Any]:
    """The filters that apply: a list where one of several values was asked for."""
    return {
        name: [str(each) for each in value] if isinstance(value, list) else str(value)
        for name, value in chosen(query).items()
    }


def _line(form: LogFormat, columns: tuple[str, ...], row: dict[str, Any]) -> bytes:
    if form is LogFormat.NDJSON:
        return orjson.dumps({name: row[name] for name in columns}, str, orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
    return csv_line(_csv_cell(row[name]) for name in columns)


def _csv_cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return orjson.dumps(value, str).decode()
    return value.isoformat() if isinstance(value, dt.datetime) else value


async def audit_events(runtime: RuntimeDependency, principal: CurrentUser) -> LogReader[AuditEventRead]:
    return LogReader(runtime, principal, name="audit_events", repository=AuditEventRepository, shown=AuditEventRead)


async def access_log(runtime: RuntimeDependency, principal: CurrentUser) -> LogReader[AccessEntryRead]:
    return LogReader(runtime, principal, name="access_log", repository=AccessEntryRepository, shown=AccessEntryRead)


AuditEvents = Annotated[LogReader[AuditEventRead], Depends(audit_events)]
AccessLog = Annotated[LogReader[AccessEntryRead], Depends(access_log)]
