"""nemsis/incidents/{id}/validation and nemsis/exports."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Response

from app.core.dependencies import discloses, requires
from app.core.filters import From, OneOf, To
from app.core.idempotency.creation import CreationDependency
from app.core.openapi import BINARY
from app.core.pagination import Page, PagingQuery
from app.core.tags import Tag
from app.nemsis.exports.lifecycle import ExportStatus
from app.nemsis.exports.schemas import (
    ChartValidation,
    ExportTransitionRequest,
    NemsisExportCreate,
    NemsisExportRead,
)
from app.nemsis.exports.service import DOCUMENT, MEDIA_TYPE, NemsisExportReads, NemsisExports
from app.nemsis.permissions import NEMSIS_EXPORT, NEMSIS_READ, NEMSIS_VALIDATE

TAG = Tag("nemsis", "NEMSIS 3.5.1 validation, export and dictionary.")
router = APIRouter(prefix="/nemsis", tags=["nemsis"])


@router.get("/incidents/{incident_id}/validation", dependencies=[requires(NEMSIS_READ)])
async def validate_chart(incident_id: uuid.UUID, exports: NemsisExportReads) -> ChartValidation:
    """What the schema and the national rules would say of this chart now; nothing is stored."""
    return await exports.validate(incident_id)


@router.post("/exports", status_code=201, dependencies=[requires(NEMSIS_VALIDATE)])
async def create_export(
    given: NemsisExportCreate, exports: NemsisExports, creation: CreationDependency
) -> NemsisExportRead:
    """Begin an export of one patient's chart, or of a call without a patient, in `pending_validation`."""
    return await exports.create(given, creation)


@router.get("/exports", dependencies=[requires(NEMSIS_READ)])
async def list_exports(
    exports: NemsisExportReads,
    paging: PagingQuery,
    incident_id: OneOf[uuid.UUID] = None,
    patient_id: OneOf[uuid.UUID] = None,
    status: OneOf[ExportStatus] = None,
    created_at_from: From = None,
    created_at_to: To = None,
) -> Page[NemsisExportRead]:
    """NemsisExports, newest first."""
    return await exports.list_page(
        paging,
        incident_id=incident_id,
        patient_id=patient_id,
        status=status,
        created_at_from=created_at_from,
        created_at_to=created_at_to,
    )


@router.get("/exports/{export_id}", dependencies=[requires(NEMSIS_READ)])
async def get_export(export_id: uuid.UUID, exports: NemsisExportReads) -> NemsisExportRead:
    """One export, with the findings of its last validation."""
    return await exports.get(export_id)


@router.post("/exports/{export_id}/transitions", dependencies=[requires(NEMSIS_VALIDATE)])
async def transition_export(
    export_id: uuid.UUID, given: ExportTransitionRequest, exports: NemsisExports
) -> NemsisExportRead:
    """`validate` ends in ready_for_export or validation_failed; `export` stores the document."""
    return await exports.transition(export_id, given)


@router.get(
    "/exports/{export_id}/artifact",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: BINARY}, "description": "The EMSDataSet document"}},
    dependencies=[requires(NEMSIS_EXPORT), discloses(DOCUMENT)],
)
async def download_export(export_id: uuid.UUID, exports: NemsisExports) -> Response:
    """The stored document. Both logs keep who was given it."""
    headers = {"Content-Disposition": f'attachment; filename="{export_id}.xml"'}
    return Response(await exports.artifact(export_id), media_type=MEDIA_TYPE, headers=headers)
