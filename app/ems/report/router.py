"""The route ems/incidents/{incident_id}/report.pdf."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.core.dependencies import discloses, requires
from app.core.openapi import BINARY
from app.ems.permissions import CHART_READ
from app.ems.report.service import PATIENT_CARE_REPORT, Reports

router = APIRouter(prefix="/ems/incidents/{incident_id}", tags=["ems"])
_PDF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": BINARY}, "description": "The patient care report"}
}


@router.get(
    "/report.pdf",
    response_class=Response,
    responses=_PDF,
    dependencies=[requires(CHART_READ), discloses(PATIENT_CARE_REPORT)],
)
async def get_report(
    incident_id: uuid.UUID,
    reports: Reports,
    patient_id: Annotated[
        uuid.UUID | None, Query(description="Whose report; needed where the incident has several patients")
    ] = None,
) -> Response:
    """The patient care report of one patient as PDF: DRAFT until completed, amendments marked. An audited disclosure.

    A call without a patient has a report, too. A chart that did not change answers with the same bytes.
    `X-Chart-Version` names the chart that the report shows.
    """
    report = await reports.make(incident_id, patient_id)
    headers = {
        "Content-Disposition": f'attachment; filename="{report.file_name}"',
        "X-Chart-Version": report.chart_version,
    }
    return Response(report.pdf, media_type="application/pdf", headers=headers)
