"""The routes of a kind of paper: list, get, create, revise and delete.

They are made from its PaperKind. Annotations are values here, hence no `from __future__ import annotations`.
"""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from app.billing.paperwork.kinds import PaperKind
from app.billing.paperwork.service import PaperReader, PaperService
from app.billing.permissions import CLAIM_CLINICAL, CLAIM_WRITE
from app.core.dependencies import ReadUow, Uow, requires
from app.core.filters import OneOf
from app.core.idempotency.creation import CreationDependency
from app.core.pagination import Page, PagingQuery
from app.core.schemas import VersionQuery


def paper_router(kind: PaperKind[Any]) -> APIRouter:
    """The router of one kind."""
    router = APIRouter(prefix=f"/{kind.path}", tags=["billing"])

    async def reader(uow: ReadUow) -> PaperReader[Any]:
        return PaperReader(uow, kind)

    async def service(uow: Uow) -> PaperService[Any]:
        return PaperService(uow, kind)

    # These types are values: FastAPI reads them at run time, and mypy cannot.
    read_model: Any = kind.read
    page_model: Any = Page[read_model]
    create_model: Any = kind.create
    patch_model: Any = kind.patch
    reader_type: Any = Annotated[PaperReader[Any], Depends(reader)]
    service_type: Any = Annotated[PaperService[Any], Depends(service)]
    name = kind.noun.replace(" ", "_")

    @router.post(
        "",
        status_code=201,
        name=f"create_{name}",
        summary=f"Create {kind.noun}",
        description=f"{kind.about} What can never be good for its transport is refused.",
        dependencies=[requires(CLAIM_WRITE)],
    )
    async def create(given: create_model, papers: service_type, creation: CreationDependency) -> read_model:
        return await papers.create(given, creation)

    @router.get(
        "",
        name=f"list_{kind.plural.replace(' ', '_')}",
        summary=f"List {kind.plural}",
        description=f"{kind.about} Newest first.",
        dependencies=[requires(CLAIM_CLINICAL)],
    )
    async def list_page(
        papers: reader_type,
        paging: PagingQuery,
        incident_id: OneOf[uuid.UUID] = None,
        patient_id: OneOf[uuid.UUID] = None,
    ) -> page_model:
        return await papers.list_page(paging, incident_id=incident_id, patient_id=patient_id)

    @router.get(
        "/{record_id}",
        name=f"get_{name}",
        summary=f"Get {kind.noun}",
        description=f"One {kind.noun}.",
        dependencies=[requires(CLAIM_CLINICAL)],
    )
    async def get(record_id: uuid.UUID, papers: reader_type) -> read_model:
        return await papers.get(record_id)

    @router.patch(
        "/{record_id}",
        name=f"revise_{name}",
        summary=f"Revise {kind.noun}",
        description="Change it: `version` and the fields that changed.",
        dependencies=[requires(CLAIM_WRITE)],
    )
    async def revise(record_id: uuid.UUID, patch: patch_model, papers: service_type) -> read_model:
        return await papers.revise(record_id, patch)

    @router.delete(
        "/{record_id}",
        status_code=204,
        name=f"delete_{name}",
        summary=f"Delete {kind.noun}",
        description=f"Soft-delete a {kind.noun}. Claims no longer count on it.",
        dependencies=[requires(CLAIM_WRITE)],
    )
    async def delete(record_id: uuid.UUID, version: VersionQuery, papers: service_type) -> None:
        await papers.delete(record_id, version)

    return router
