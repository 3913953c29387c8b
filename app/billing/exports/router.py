"""billing/exports."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Response

from app.billing.exports.schemas import ExportCreate, ExportRead
from app.billing.exports.service import FILE, MEDIA_TYPE, ClaimExportReads, ClaimExports
from app.billing.permissions import CLAIM_EXPORT, CLAIM_READ
from app.core.dependencies import discloses, requires
from app.core.idempotency.creation import CreationDependency
from app.core.openapi import BINARY, errors
from app.core.pagination import Page, PagingQuery

router = APIRouter(prefix="/billing/exports", tags=["billing"])


@router.post("", status_code=201, responses=errors(409), dependencies=[requires(CLAIM_EXPORT)])
async def create_claim_export(given: ExportCreate, exports: ClaimExports, creation: CreationDependency) -> ExportRead:
    """Write approved claims into one 837P file and move them to `exported`: all of them or none."""
    return await exports.create(given, creation)


@router.get("", dependencies=[requires(CLAIM_READ)])
async def list_claim_exports(exports: ClaimExportReads, paging: PagingQuery) -> Page[ExportRead]:
    """ClaimExports, newest first."""
    return await exports.list_page(paging)


@router.get("/{export_id}", dependencies=[requires(CLAIM_READ)])
async def get_claim_export(export_id: uuid.UUID, exports: ClaimExportReads) -> ExportRead:
    """One export and the claims in it."""
    return await exports.get(export_id)


@router.get(
    "/{export_id}/artifact",
    dependencies=[requires(CLAIM_EXPORT), discloses(FILE)],
    response_class=Response,
    responses={200: {"description": "The 837P file", "content": {MEDIA_TYPE: BINARY}}},
)
async def get_claim_export_artifact(export_id: uuid.UUID, exports: ClaimExports) -> Response:
    """The 837P file, to be sent to the clearinghouse. Both logs keep who was given it."""
    return Response(
        await exports.artifact(export_id),
        media_type=MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{export_id}.edi"'},
    )
