"""ems/incidents/{incident_id}/readiness."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.core.dependencies import requires
from app.ems.permissions import CHART_READ
from app.ems.readiness.schemas import ChartReadiness
from app.ems.readiness.service import ReadinessReads

router = APIRouter(prefix="/ems/incidents/{incident_id}", tags=["ems"])


@router.get("/readiness", dependencies=[requires(CHART_READ)])
async def get_readiness(incident_id: uuid.UUID, readiness: ReadinessReads) -> ChartReadiness:
    """Findings that block or endanger review, state submission, payment and signature, the most urgent first.

    Refresh it after each autosave. A `fix` is a request to send as it is. `fixes` are those of all findings, put
    together record by record, so that one does not make the version of the next one stale.
    """
    return await readiness.read(incident_id)
