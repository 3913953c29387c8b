"""audit: who changed what, and who was shown which chart.

The types of two filters are made from the registry. Annotations are values here, hence no
`from __future__ import annotations`.
"""

from collections.abc import AsyncIterator, Collection
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from app.core.audit.actions import AuditAction
from app.core.audit.permissions import AUDIT_READ
from app.core.audit.schemas import (
    AccessEntryRead,
    ActorQuery,
    AuditEventRead,
    ChartQuery,
    EntityIdQuery,
    FromQuery,
    LogFormat,
    ShownQuery,
    ToQuery,
)
from app.core.audit.service import LOG_EXPORT, AccessLog, AuditEvents
from app.core.audit.vocabulary import actions_of, entity_types_of
from app.core.clock import utcnow
from app.core.dependencies import discloses, requires
from app.core.filters import one_of
from app.core.openapi import BINARY, TEXT
from app.core.pagination import Page, PagingQuery
from app.core.tags import Tag

TAG = Tag("audit", "The audit log and the access log.")

_MEDIA_TYPES = {LogFormat.NDJSON: "application/x-ndjson", LogFormat.CSV: "text/csv; charset=utf-8"}
_DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One line per entry, oldest first",
        "content": {"application/x-ndjson": BINARY, "text/csv": TEXT},
    }
}


def audit_router(vocabulary: Collection[type[AuditAction]]) -> APIRouter:
    """The routes of both logs. A filter refuses a value that `vocabulary` does not have."""
    router = APIRouter(prefix="/audit", tags=["audit"])
    # These types are values: FastAPI reads them at run time, and mypy cannot.
    action_query = one_of(actions_of(vocabulary))
    type_query = one_of(entity_types_of(vocabulary))
    _add_events(router, action_query, type_query)
    _add_access_log(router)
    return router


def _add_events(router: APIRouter, action_query: Any, type_query: Any) -> None:
    @router.get("/events", dependencies=[requires(AUDIT_READ)])
    async def list_audit_events(
        events: AuditEvents,
        paging: PagingQuery,
        entity_type: type_query = None,
        entity_id: EntityIdQuery = None,
        incident_id: ChartQuery = None,
        actor_user_id: ActorQuery = None,
        action: action_query = None,
        since: FromQuery = None,
        until: ToQuery = None,
    ) -> Page[AuditEventRead]:
        """Every change, login attempt, export, refusal and webhook of the agency, newest first.

        Reading it is audited.
        """
        return await events.list_page(
            paging,
            entity_type=entity_type,
            entity_id=entity_id,
            incident_id=incident_id,
            actor_user_id=actor_user_id,
            action=action,
            since=since,
            until=until,
        )

    @router.get(
        "/events/export",
        dependencies=[requires(AUDIT_READ), discloses(LOG_EXPORT)],
        response_class=StreamingResponse,
        responses=_DOCUMENT,
    )
    async def export_audit_events(
        events: AuditEvents,
        format: LogFormat = LogFormat.NDJSON,  # noqa: A002  # the query parameter's name
        entity_type: type_query = None,
        entity_id: EntityIdQuery = None,
        incident_id: ChartQuery = None,
        actor_user_id: ActorQuery = None,
        action: action_query = None,
        since: FromQuery = None,
        until: ToQuery = None,
    ) -> StreamingResponse:
        """The audit log as NDJSON or CSV, oldest first. The export is itself audited."""
        lines = await events.export(
            format,
            entity_type=entity_type,
            entity_id=entity_id,
            incident_id=incident_id,
            actor_user_id=actor_user_id,
            action=action,
            since=since,
            until=until,
        )
        return _document(lines, "audit-events", format)


def _add_access_log(router: APIRouter) -> None:
    @router.get("/access-log", dependencies=[requires(AUDIT_READ)])
    async def list_access_log(
        entries: AccessLog,
        paging: PagingQuery,
        incident_id: ShownQuery = None,
        actor_user_id: ActorQuery = None,
        since: FromQuery = None,
        until: ToQuery = None,
    ) -> Page[AccessEntryRead]:
        """Who was shown which charts, newest first: one entry per request. Reading it is audited.

        Whoever changes a chart is in the audit log.
        """
        return await entries.list_page(
            paging,
            incident_id=incident_id,
            actor_user_id=actor_user_id,
            since=since,
            until=until,
        )

    @router.get(
        "/access-log/export",
        dependencies=[requires(AUDIT_READ), discloses(LOG_EXPORT)],
        response_class=StreamingResponse,
        responses=_DOCUMENT,
    )
    async def export_access_log(
        entries: AccessLog,
        format: LogFormat = LogFormat.NDJSON,  # noqa: A002  # the query parameter's name
        incident_id: ShownQuery = None,
        actor_user_id: ActorQuery = None,
        since: FromQuery = None,
        until: ToQuery = None,
    ) -> StreamingResponse:
        """The access log as NDJSON or CSV, oldest first. The export is itself audited."""
        lines = await entries.export(
            format, incident_id=incident_id, actor_user_id=actor_user_id, since=since, until=until
        )
        return _document(lines, "access-log", format)


def _document(lines: AsyncIterator[bytes], name: str, form: LogFormat) -> StreamingResponse:
    filename = f"{name}-{utcnow():%Y%m%d}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return StreamingResponse(lines, media_type=_MEDIA_TYPES[form], headers=headers)
