"""Routes of ems/incidents."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.core.dependencies import requires
from app.core.idempotency.creation import CreationDependency
from app.core.schemas import VersionQuery
from app.ems.chart.schemas import ChangeReasonQuery, ChartRestore
from app.ems.charting.schemas import IncidentTransitionRequest
from app.ems.charting.service import ExportSources, IncidentReads, Incidents
from app.ems.incidents.schemas import IncidentCreate, IncidentPatch, IncidentRead
from app.ems.permissions import CHART_READ, CHART_RESTORE, CHART_WRITE

router = APIRouter(prefix="/ems/incidents", tags=["ems"])


@router.post("", status_code=201, dependencies=[requires(CHART_WRITE)])
async def create_incident(given: IncidentCreate, incidents: Incidents, creation: CreationDependency) -> IncidentRead:
    """Open a chart in `draft`. Whoever writes part of it may not review it."""
    return await incidents.create(given, creation)


@router.get("/{incident_id}", dependencies=[requires(CHART_READ)])
async def get_incident(incident_id: uuid.UUID, incidents: IncidentReads) -> IncidentRead:
    """The head of one chart: times, place, disposition, state."""
    return await incidents.get(incident_id)


@router.patch("/{incident_id}", dependencies=[requires(CHART_WRITE)])
async def revise_incident(incident_id: uuid.UUID, patch: IncidentPatch, incidents: Incidents) -> IncidentRead:
    """Save the fields that changed, with the `version` last seen. In `completed` an admin amends, giving a `reason`."""
    return await incidents.revise(incident_id, patch)


@router.post("/{incident_id}/transitions", dependencies=[requires(CHART_WRITE)])
async def transition_incident(
    incident_id: uuid.UUID, given: IncidentTransitionRequest, incidents: Incidents
) -> IncidentRead:
    """Move the chart along draft → in_progress → ready_for_review → completed → locked, or back.

    A reviewer who returns a chart may comment on single fields: see `…/review-comments`. Who submitted it may `recall`
    it while its review has no reviewer.
    """
    return await incidents.transition(incident_id, given)


@router.delete("/{incident_id}", status_code=204, dependencies=[requires(CHART_WRITE)])
async def delete_incident(
    incident_id: uuid.UUID,
    version: VersionQuery,
    incidents: Incidents,
    sources: ExportSources,
    reason: ChangeReasonQuery = None,
) -> None:
    """Soft-delete a chart, giving a `reason`: an open one by its creator or an admin, a completed one by an admin.

    A chart on which a claim or an exported document stands is kept.
    """
    await incidents.delete(incident_id, version, reason, sources)


@router.post("/{incident_id}/restore", dependencies=[requires(CHART_RESTORE)])
async def restore_incident(incident_id: uuid.UUID, given: ChartRestore, incidents: Incidents) -> IncidentRead:
    """Bring a deleted chart back. A chart that was completed needs a `reason`."""
    return await incidents.restore(incident_id, given.version, given.reason)
