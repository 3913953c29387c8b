"""Routes of chart entries, made from their kinds: those of all entries, and the autosave of entries that are fields.

Annotations are values here, so the module has no `from __future__ import annotations`.
"""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from app.core.dependencies import ReadUow, Uow, requires
from app.core.idempotency.creation import CreationDependency
from app.core.pagination import Page
from app.core.schemas import VersionQuery
from app.ems.chart.schemas import ChangeReasonQuery, ChartRestore
from app.ems.entries.children import ChildKind, ChildReader, ChildService
from app.ems.entries.queries import list_query
from app.ems.late_entries.schemas import LATE, LateEntryRead
from app.ems.permissions import CHART_ENTRY_RESTORE, CHART_READ, CHART_WRITE

_AMENDING = "In `completed` an admin amends, with a `reason`."
_HOLDING = " A chart in `ready_for_review` keeps it as a late entry: 202, and its author or a reviewer decides."
_HELD = "Kept: the chart waits for review; see `…/late-entries`"


def entry_router(
    noun: str,
    path: str,
    create_model: Any,
    read_model: Any,
    service_type: Any,
    reader_type: Any,
    query_type: Any,
    *,
    creates: str,
    lists: str,
    shows: str,
    holds: bool = False,
) -> APIRouter:
    """Routes to create, list, get, delete and restore entries, below ems/incidents/{incident_id}.

    Types are given as values: FastAPI reads them at run time, and mypy cannot. `creates`, `lists` and `shows` describe
    the first three routes to clients. `holds`: a chart that waits for review keeps new entries for a decision.
    """
    router = APIRouter(prefix=f"/ems/incidents/{{incident_id}}/{path}", tags=["ems"])
    name = noun.replace(" ", "_")
    page_model: Any = Page[read_model]

    @router.post(
        "",
        status_code=201,
        name=f"create_{name}",
        summary=f"Create {noun}",
        description=creates,
        responses={202: {"model": LateEntryRead, "description": _HELD}} if holds else None,
        dependencies=[requires(CHART_WRITE)],
    )
    async def create(
        incident_id: uuid.UUID,
        given: create_model,
        entries: service_type,
        creation: CreationDependency,
    ) -> read_model:
        made = await entries.create(incident_id, given, creation)
        if isinstance(made, LateEntryRead):
            return Response(made.model_dump_json(), status_code=202, media_type="application/json")
        return made

    @router.get(
        "",
        name=f"list_{path.replace('-', '_')}",
        summary=f"List {path}",
        description=f"{lists} `include_deleted` is for those who may restore them: of a closed chart, an admin.",
        dependencies=[requires(CHART_READ)],
    )
    async def list_page(
        incident_id: uuid.UUID,
        entries: reader_type,
        paging: query_type,
    ) -> page_model:
        return await entries.list_page(incident_id, paging)

    @router.get(
        "/{child_id}",
        name=f"get_{name}",
        summary=f"Get {noun}",
        description=shows,
        dependencies=[requires(CHART_READ)],
    )
    async def get(
        incident_id: uuid.UUID,
        child_id: uuid.UUID,
        entries: reader_type,
    ) -> read_model:
        return await entries.get(incident_id, child_id)

    @router.delete(
        "/{child_id}",
        status_code=204,
        name=f"delete_{name}",
        summary=f"Delete {noun}",
        description=f"Soft-delete a {noun} of an open chart. {_AMENDING}",
        dependencies=[requires(CHART_WRITE)],
    )
    async def delete(
        incident_id: uuid.UUID,
        child_id: uuid.UUID,
        version: VersionQuery,
        entries: service_type,
        reason: ChangeReasonQuery = None,
    ) -> None:
        await entries.delete(incident_id, child_id, version, reason)

    @router.post(
        "/{child_id}/restore",
        name=f"restore_{name}",
        summary=f"Restore {noun}",
        description=f"Bring a deleted {noun} of an open chart back. {_AMENDING}",
        dependencies=[requires(CHART_ENTRY_RESTORE)],
    )
    async def restore(
        incident_id: uuid.UUID,
        child_id: uuid.UUID,
        given: ChartRestore,
        entries: service_type,
    ) -> read_model:
        return await entries.restore(incident_id, child_id, given.version, given.reason)

    return router


def child_router(kind: ChildKind[Any, Any]) -> APIRouter:
    """The router of a kind of entry that is fields, with PATCH."""

    async def service(uow: Uow) -> ChildService[Any, Any]:
        return ChildService(uow, kind)

    async def reader(uow: ReadUow) -> ChildReader[Any, Any]:
        return ChildReader(uow, kind)

    part = kind.part
    noun = part.noun
    patch_model: Any = part.patch
    read_model: Any = part.read
    service_type: Any = Annotated[ChildService[Any, Any], Depends(service)]
    reader_type: Any = Annotated[ChildReader[Any, Any], Depends(reader)]
    router = entry_router(
        noun,
        part.collection,
        part.create,
        read_model,
        service_type,
        reader_type,
        list_query(part.repository),
        creates=f"Add a {noun} to an open chart. {_AMENDING}{_HOLDING if part in LATE else ''}",
        lists=f"The {noun} entries of one chart.",
        shows=f"One {noun} of the chart.",
        holds=part in LATE,
    )

    @router.patch(
        "/{child_id}",
        name=f"revise_{noun.replace(' ', '_')}",
        summary=f"Revise {noun}",
        description=f"Autosave: `version` and the fields that changed. {_AMENDING}",
        dependencies=[requires(CHART_WRITE)],
    )
    async def revise(
        incident_id: uuid.UUID,
        child_id: uuid.UUID,
        patch: patch_model,
        entries: service_type,
    ) -> read_model:
        return await entries.revise(incident_id, child_id, patch)

    return router
