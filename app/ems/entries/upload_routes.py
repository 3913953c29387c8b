"""Routes of signatures and attachments: those of all entries, transitions, and the link to the content.

Annotations are values here, so the module has no `from __future__ import annotations`.
"""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from app.core.dependencies import ReadUow, RuntimeDependency, UowFactory, discloses, requires
from app.ems.entries.queries import list_query
from app.ems.entries.routes import entry_router
from app.ems.entries.uploads import UploadKind, UploadReader, UploadService
from app.ems.permissions import CHART_READ, CHART_WRITE
from app.ems.uploads.schemas import ContentLinkRead


def upload_router(kind: UploadKind[Any, Any]) -> APIRouter:
    """The router of one kind of upload, below ems/incidents/{incident_id}."""

    async def service(factory: UowFactory, runtime: RuntimeDependency) -> UploadService[Any, Any]:
        return UploadService(factory, runtime.objects, kind)

    async def reader(uow: ReadUow) -> UploadReader[Any, Any]:
        return UploadReader(uow, kind)

    noun = kind.noun
    transition_model: Any = kind.transition
    read_model: Any = kind.read
    service_type: Any = Annotated[UploadService[Any, Any], Depends(service)]
    reader_type: Any = Annotated[UploadReader[Any, Any], Depends(reader)]
    router = entry_router(
        noun,
        kind.path,
        kind.create,
        read_model,
        service_type,
        reader_type,
        list_query(kind.repository),
        creates=kind.about,
        lists=f"The {kind.path} of one chart.",
        shows=f"One {noun} of the chart, without its content.",
    )

    @router.post(
        "/{child_id}/transitions",
        name=f"transition_{noun}",
        summary=f"Transition {noun}",
        description=(
            "`complete` checks what was sent: size, SHA-256 and type, by its bytes. What is not as declared is thrown"
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
        description="A link to the content, good for five minutes. Both logs keep who was given it.",
        dependencies=[requires(CHART_READ), discloses(kind.link)],
    )
    async def download(
        incident_id: uuid.UUID,
        child_id: uuid.UUID,
        entries: service_type,
    ) -> ContentLinkRead:
        found: ContentLinkRead = await entries.issue_download(incident_id, child_id)
        return found

    return router
