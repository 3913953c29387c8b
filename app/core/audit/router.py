"""audit: who changed what, and who was shown which chart.

The types of two filters are made from the registry. Annotations are values here, hence no
`from __future__ import annotations`.
"""

from collections.abc import AsyncIterator, Collection
from typing import Annotated, Any

from fastapi import APIRouter, Depends
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
    _add_events(router, _event_filters(vocabulary))
    _add_access_log(router)
    return router


def _event_filters(vocabulary: Collection[type[AuditAction]]) -> Any:
    """The filters of events as one parameter. It is a value: FastAPI reads it at run time, and mypy cannot."""
    action_query: Any = one_of(actions_of(vocabulary))
    type_query: Any = one_of(entity_types_of(vocabulary))

    def filters(
        entity_type: type_query = None,
        entity_id: EntityIdQuery = None,
        incident_id: ChartQuery = None,
        actor_user_id: ActorQuery = None,
        action: action_query = None,
        since: FromQuery = None,
        until: ToQuery = None,
    ) -> dict[str, Any]:
        return {
            "entity_type": entity_type,
            "entity_id": entity_id,
            "incident_id": incident_id,
            "actor_user_id": actor_user_id,
            "action": action,
            "since": since,
            "until": until,
        }

    return Annotated[dict[str, Any], Depends(filters)]


def _access_filters(
    incident_id: ShownQuery = None, actor_user_id: ActorQuery = None, since: FromQuery = None, until: ToQuery = None
) -> dict[str, Any]:
    return {"incident_id": incident_id, "actor_user_id": actor_user_id, "since": since, "until": until}


AccessFilters = Annotated[dict[str, Any], Depends(_access_filters)]


def _add_events(router: APIRouter, filters_parameter: Any) -> None:
    @router.get("/events", dependencies=[requires(AUDIT_READ)])
    async def list_audit_events(
        events: AuditEvents, paging: PagingQuery, filters: filters_parameter
    ) -> Page[AuditEventRead]:
        """Every change, login attempt, export, refusal and webhook of the agency, newest first.

        Reading it is audited.
        """
        return await events.list_page(paging, **filters)

    @router.get(
        "/events/export",
        dependencies=[requires(AUDIT_READ), discloses(LOG_EXPORT)],
        response_class=StreamingResponse,
        responses=_DOCUMENT,
    )
    async def export_audit_events(
        events: AuditEvents,
        filters: filters_parameter,
        format: LogFormat = LogFormat.NDJSON,  # noqa: A002  # the query parameter's name
    ) -> StreamingResponse:
        """The audit log as NDJSON or CSV, oldest first. The export is itself audited."""
        return _document(await events.export(format, **filters), "audit-events", format)


def _add_access_log(router: APIRouter) -> None:
    @router.get("/access-log", dependencies=[requires(AUDIT_READ)])
    async def list_access_log(entries: AccessLog, paging: PagingQuery, filters: AccessFilters) -> Page[AccessEntryRead]:
        """The charts that were shown, and to whom, newest first: one entry per request. Reading it is audited.

        Whoever changes a chart is in the audit log.
        """
        return await entries.list_page(paging, **filters)

    @router.get(
        "/access-log/export",
        dependencies=[requires(AUDIT_READ), discloses(LOG_EXPORT)],
        response_class=StreamingResponse,
        responses=_DOCUMENT,
    )
    async def export_access_log(
        entries: AccessLog,
        filters: AccessFilters,
        format: LogFormat = LogFormat.NDJSON,  # noqa: A002  # the query parameter's name
    ) -> StreamingResponse:
        """The access log as NDJSON or CSV, oldest first. The export is itself audited."""
        return _document(await entries.export(format, **filters), "access-log", format)


def _document(lines: AsyncIterator[bytes], name: str, form: LogFormat) -> StreamingResponse:
    filename = f"{name}-{utcnow():%Y%m%d}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return StreamingResponse(lines, media_type=_MEDIA_TYPES[form], headers=headers)
