"""billing/exports."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.billing.exports.formats import FORMATS
from app.billing.exports.redelivery import Redeliveries
from app.billing.exports.schemas import DeliveryCreate, DeliveryRead, ExportCreate, ExportRead
from app.billing.exports.service import FILE, ClaimExportReads, ClaimExports
from app.billing.permissions import CLAIM_EXPORT, CLAIM_READ
from app.core.dependencies import discloses, requires
from app.core.idempotency.creation import CreationDependency
from app.core.openapi import BINARY, errors
from app.core.pagination import Page, PagingQuery

router = APIRouter(prefix="/billing/exports", tags=["billing"])
WhichFile = Annotated[
    int | None, Query(ge=1, description="The number of the file; needed where the export has several files")
]


@router.post("", status_code=201, responses=errors(409), dependencies=[requires(CLAIM_EXPORT)])
async def create_claim_export(given: ExportCreate, exports: ClaimExports, creation: CreationDependency) -> ExportRead:
    """Write approved claims into files and move them to `exported`: all of them or none.

    One 837P holds the claims to all payers that take it, with a transaction set for each payer. A payer that wants
    paper gets a CMS-1500 file of its own.
    """
    return await exports.create(given, creation)


@router.get("", dependencies=[requires(CLAIM_READ)])
async def list_claim_exports(exports: ClaimExportReads, paging: PagingQuery) -> Page[ExportRead]:
    """ClaimExports, newest first."""
    return await exports.list_page(paging)


@router.get("/{export_id}", dependencies=[requires(CLAIM_READ)])
async def get_claim_export(export_id: uuid.UUID, exports: ClaimExportReads) -> ExportRead:
    """One export, its files and the claims in them."""
    return await exports.get(export_id)


@router.post("/{export_id}/deliveries", status_code=201, responses=errors(409), dependencies=[requires(CLAIM_EXPORT)])
async def deliver_claim_export(
    export_id: uuid.UUID, given: DeliveryCreate, redeliveries: Redeliveries, creation: CreationDependency
) -> DeliveryRead:
    """Deliver a file again whose delivery has failed, by the way and the settings of its clearinghouse now."""
    return await redeliveries.create(export_id, given, creation)


@router.get(
    "/{export_id}/artifact",
    dependencies=[requires(CLAIM_EXPORT), discloses(FILE)],
    response_class=Response,
    responses={
        200: {"description": "The file", "content": {adapter.media_type: BINARY for adapter in FORMATS.values()}}
    },
)
async def get_claim_export_artifact(
    export_id: uuid.UUID,
    exports: ClaimExports,
    file: WhichFile = None,
) -> Response:
    """A file of the export, to be sent to the clearinghouse or the payer. Both logs keep who was given it."""
    download = await exports.artifact(export_id, file)
    return Response(
        download.content,
        media_type=download.media_type,
        headers={"Content-Disposition": f'attachment; filename="{download.file_name}"'},
    )


@router.get(
    "/{export_id}/forms.pdf",
    dependencies=[requires(CLAIM_EXPORT), discloses(FILE)],
    response_class=Response,
    responses={200: {"description": "The forms", "content": {"application/pdf": BINARY}}},
)
async def get_claim_export_forms(export_id: uuid.UUID, exports: ClaimExports, file: WhichFile = None) -> Response:
    """The paper claims of a CMS-1500 file with the outlines of the form, for reading. Both logs keep who was given it.

    Payers want the file's text on their own printed forms, or read it by machine.
    """
    download = await exports.forms(export_id, file)
    return Response(
        download.content,
        media_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{download.file_name}"'},
    )
