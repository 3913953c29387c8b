"""Six routes per kind of chart child: create, list, get, revise, delete, restore.

Made from its ChildKind: annotations are values here, hence no `from __future__ import annotations`.
"""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from app.core.dependencies import ReadUow, Uow, requires
from app.core.idempotency.creation import CreationDependency
from app.core.pagination import CursorText, Limit, Page, Sort
from app.core.schemas import VersionQuery
from app.ems.chart.schemas import ChartRestore, ReasonQuery
from app.ems.entries.children import ChildKind, ChildReader, ChildService
from app.ems.permissions import CHART_READ, CHART_RESTORE, CHART_WRITE

AMENDING = "In `completed` an admin amends, with a `reason`."


def child_router(kind: ChildKind[Any, Any]) -> APIRouter:
    """The router of one kind, below ems/incidents/{incident_id}."""
    router = APIRouter(prefix=f"/ems/incidents/{{incident_id}}/{kind.path}", tags=["ems"])
    noun = kind.noun
    name = noun.replace(" ", "_")
    plural = kind.path.replace("-", "_")

    async def service(uow: Uow) -> ChildService[Any, Any]:
        return ChildService(uow, kind)

    async def reader(uow: ReadUow) -> ChildReader[Any, Any]:
        return ChildReader(uow, kind)

    # Types as values, which FastAPI reads at run time and mypy cannot.
    create_model: Any = kind.create
    patch_model: Any = kind.patch
    read_model: Any = kind.read
    page_model: Any = Page[read_model]
    service_type: Any = Annotated[ChildService[Any, Any], Depends(service)]
    reader_type: Any = Annotated[ChildReader[Any, Any], Depends(reader)]

    @router.post(
        "",
        status_code=201,
        name=f"create_{name}",
        summary=f"Create {noun}",
        description=f"Add a {noun} to an open chart. {AMENDING}",
        dependencies=[requires(CHART_WRITE)],
    )
    async def create(
        incident_id: uuid.UUID,
        given: create_model,
        entries: service_type,
        creation: CreationDependency,
    ) -> read_model:
        return await entries.create(incident_id, given, creation)

    @router.get(
        "",
        name=f"list_{plural}",
        summary=f"List {kind.path}",
        description=f"The {noun} entries of one chart. `include_deleted` is for admins.",
        dependencies=[requires(CHART_READ)],
    )
    async def list_page(
        incident_id: uuid.UUID,
        entries: reader_type,
        limit: Limit = 50,
        cursor: CursorText = None,
        sort: Sort = "-created_at",
        include_deleted: bool = False,
    ) -> page_model:
        return await entries.list_page(
            incident_id, limit=limit, cursor=cursor, ascending=sort == "created_at", include_deleted=include_deleted
        )

    @router.get(
        "/{child_id}",
        name=f"get_{name}",
        summary=f"Get {noun}",
        description=f"One {noun} of the chart.",
        dependencies=[requires(CHART_READ)],
    )
    async def get(
        incident_id: uuid.UUID,
        child_id: uuid.UUID,
        entries: reader_type,
    ) -> read_model:
        return await entries.get(incident_id, child_id)

    @router.patch(
        "/{child_id}",
        name=f"revise_{name}",
        summary=f"Revise {noun}",
        description=f"Autosave: `version` and the fields that changed. {AMENDING}",
        dependencies=[requires(CHART_WRITE)],
    )
    async def revise(
        incident_id: uuid.UUID,
        child_id: uuid.UUID,
        patch: patch_model,
        entries: service_type,
    ) -> read_model:
        return await entries.revise(incident_id, child_id, patch)

    @router.delete(
        "/{child_id}",
        status_code=204,
        name=f"delete_{name}",
        summary=f"Delete {noun}",
        description=f"Soft-delete a {noun} of an open chart. {AMENDING}",
        dependencies=[requires(CHART_WRITE)],
    )
    async def delete(
        incident_id: uuid.UUID,
        child_id: uuid.UUID,
        version: VersionQuery,
        entries: service_type,
        reason: ReasonQuery = None,
    ) -> None:
        await entries.delete(incident_id, child_id, version, reason)

    @router.post(
        "/{child_id}/restore",
        name=f"restore_{name}",
        summary=f"Restore {noun}",
        description=f"Bring a deleted {noun} of an open chart back. {AMENDING}",
        dependencies=[requires(CHART_RESTORE)],
    )
    async def restore(
        incident_id: uuid.UUID,
        child_id: uuid.UUID,
        given: ChartRestore,
        entries: service_type,
    ) -> read_model:
        return await entries.restore(incident_id, child_id, given.version, given.reason)

    return router
