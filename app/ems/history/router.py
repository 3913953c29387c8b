"""The whole chart, its history and its amendments, below ems/incidents/{incident_id}."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Request

from app.core.dependencies import requires
from app.core.errors import ValidationFailed
from app.core.filters import OneOf
from app.core.pagination import Page, PagingQuery
from app.core.schemas import Instant
from app.ems.history.schemas import AmendmentRead, DeletedEntryRead, VersionRead, WholeChart
from app.ems.history.service import History
from app.ems.permissions import CHART_ENTRY_RESTORE, CHART_READ

router = APIRouter(prefix="/ems/incidents/{incident_id}", tags=["ems"])
AsOf = Annotated[Instant | None, Query(description="Show the chart as it stood at this time")]


@router.get("/chart", dependencies=[requires(CHART_READ)])
async def get_chart(incident_id: uuid.UUID, history: History) -> WholeChart:
    """The incident with everything in it, in one answer. A tablet opens a chart with it."""
    return await history.chart(incident_id)


@router.get("/history", dependencies=[requires(CHART_READ)])
async def get_history(
    incident_id: uuid.UUID,
    request: Request,
    history: History,
    paging: PagingQuery,
    as_of: AsOf = None,
    entity_id: OneOf[uuid.UUID] = None,
) -> WholeChart | Page[VersionRead]:
    """The versions of the chart: who changed what, and when. With `as_of`, the whole chart as it stood then."""
    if as_of is not None:
        for name in sorted(request.query_params.keys() - {"as_of"}):
            raise ValidationFailed.of(
                name, "not_with_as_of", "This pages through versions; `as_of` shows one chart, whole."
            )
        return await history.chart_as_of(incident_id, as_of)
    return await history.list_versions(incident_id, paging, entity_id=entity_id)


@router.get("/deleted-entries", dependencies=[requires(CHART_ENTRY_RESTORE)])
async def list_deleted_entries(incident_id: uuid.UUID, history: History, paging: PagingQuery) -> Page[DeletedEntryRead]:
    """What was deleted from the chart, last deleted first: by whom, when, and what it said. `restore` brings it back.

    Whoever charts sees it while the chart is open; an admin, at any time.
    """
    return await history.list_deleted(incident_id, paging)


@router.get("/amendments", dependencies=[requires(CHART_READ)])
async def list_amendments(
    incident_id: uuid.UUID,
    history: History,
    paging: PagingQuery,
    entity_id: OneOf[uuid.UUID] = None,
) -> Page[AmendmentRead]:
    """Changes after completion, field by field: who, why, which exports became outdated, and who had to sign again."""
    return await history.list_amendments(incident_id, paging, entity_id=entity_id)
