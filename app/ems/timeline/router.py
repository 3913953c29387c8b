"""The route ems/incidents/{incident_id}/timeline."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.core.dependencies import requires
from app.ems.permissions import CHART_READ
from app.ems.timeline.schemas import Timeline
from app.ems.timeline.service import TimelineReads

router = APIRouter(prefix="/ems/incidents/{incident_id}", tags=["ems"])


@router.get("/timeline", dependencies=[requires(CHART_READ)])
async def get_timeline(incident_id: uuid.UUID, timeline: TimelineReads) -> Timeline:
    """Times, vitals, interventions, narratives and transitions of one chart, in the order in which they happened."""
    return await timeline.read(incident_id)
