"""Seven routes per kind of upload: create, list, get, transitions, download, delete, restore.

Made from its UploadKind: annotations are values here, hence no `from __future__ import annotations`.
"""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from app.core.dependencies import ReadUow, RuntimeDependency, UowFactory, requires
from app.core.idempotency.creation import CreationDependency
from app.core.pagination import CursorText, Limit, Page, Sort
from app.core.schemas import VersionQuery
from app.core.storage.schemas import DownloadRead
from app.ems.chart.schemas import ChartRestore, ReasonQuery
from app.ems.entries.routes import AMENDING
from app.ems.entries.uploads import UploadKind, UploadReader, UploadService
from app.ems.permissions import CHART_READ, CHART_RESTORE, CHART_WRITE


def upload_router(kind: UploadKind[Any, Any]) -> APIRouter:
    """The router of one kind, below ems/incidents/{incident_id}."""
    router = APIRouter(prefix=f"/ems/incidents/{{incident_id}}/{kind.path}", tags=["ems"])
    noun = kind.noun

    async def service(factory: UowFactory, runtime: RuntimeDependency) -> UploadService[Any, Any]:
        return UploadService(factory, runtime.objects, kind)

    async def reader(uow: ReadUow) -> UploadReader[Any, Any]:
        return UploadReader(uow, kind)

    # Types as values, which FastAPI reads at run time and mypy cannot.
    create_model: Any = kind.create
    transition_model: Any = kind.transition
    read_model: Any = kind.read
    page_model: Any = Page[read_model]
    service_type: Any = Annotated[UploadService[Any, Any], Depends(service)]
    reader_type: Any = Annotated[UploadReader[Any, Any], Depends(reader)]

    @router.post(
        "",
        status_code=201,
        name=f"create_{noun}",
        summary=f"Create {noun}",
        description=kind.about,
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
        name=f"list_{kind.path}",
        summary=f"List {kind.path}",
        description=f"The {kind.path} of one chart. `include_deleted` is for admins.",
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
        name=f"get_{noun}",
        summary=f"Get {noun}",
        description=f"One {noun} of the chart, without its content.",
        dependencies=[requires(CHART_READ)],
    )
    async def get(
        incident_id: uuid.UUID,
        child_id: uuid.UUID,
        entries: reader_type,
    ) -> read_model:
        return await entries.get(incident_id, child_id)

    @router.post(
        "/{child_id}/transitions",
        name=f"transition_{noun}",
        summary=f"Transition {noun}",
        description=(
            "`complete` judges what was sent: size, SHA-256 and type, by its bytes. What is not as declared is thrown"
            " away and the answer says `rejected`, with a code."
        ),
        dependencies=[requires(CHART_WRITE)],
    )
    async def transition(
        incident_id: uuid.UUID,
        child_id: uuid.UUID,
        given: transition_model,
        entries: service_type,
    ) -> read_model:
        return await entries.transition(incident_id, child_id, given)

    @router.get(
        "/{child_id}/download",
        name=f"download_{noun}",
        summary=f"Download {noun}",
        description="A link to the content, good for five minutes. The audit log keeps who asked for it.",
        dependencies=[requires(CHART_READ)],
    )
    async def download(
        incident_id: uuid.UUID,
        child_id: uuid.UUID,
        entries: service_type,
    ) -> DownloadRead:
        found: DownloadRead = await entries.issue_download(incident_id, child_id)
        return found

    @router.delete(
        "/{child_id}",
        status_code=204,
        name=f"delete_{noun}",
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
        name=f"restore_{noun}",
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
