"""ems/incidents/{incident_id}/readiness."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Query

from app.core.dependencies import requires
from app.ems.permissions import CHART_READ
from app.ems.readiness.schemas import ChartReadiness
from app.ems.readiness.sections import OneOfSections, Shown
from app.ems.readiness.service import ReadinessReads

router = APIRouter(prefix="/ems/incidents/{incident_id}", tags=["ems"])


@router.get("/readiness", dependencies=[requires(CHART_READ)])
async def get_readiness(
    incident_id: uuid.UUID,
    readiness: ReadinessReads,
    folded: Annotated[
        bool, Query(description="Leave out the blank lines, which `sections` counts; `section` unfolds them")
    ] = False,
    section: Annotated[
        OneOfSections, Query(description="Only the findings of these sections, blank lines included")
    ] = None,
) -> ChartReadiness:
    """Findings that block or endanger review, state submission, payment and signature, the most urgent first.

    `kinds` says how the call ended for each patient, and what is therefore not due. A stage that is not due blocks
    nothing. `sections` sums the findings up: a short first look is `folded=true`, and `section=ePatient` shows one
    section's lines. Refresh it after each autosave. A `fix` is a request to send as it is. `fixes` are those of all
    findings, put together record by record, so that one does not make the version of the next one stale.
    """
    return await readiness.read(incident_id, Shown(folded=folded, sections=frozenset(section or ())))
