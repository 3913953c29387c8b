"""The route ems/incidents/{incident_id}/sync."""

from __future__ import annotations

from fastapi import APIRouter

from app.core.dependencies import requires
from app.ems.permissions import CHART_WRITE
from app.ems.sync.schemas import SyncRequest, SyncResult
from app.ems.sync.service import Sync

router = APIRouter(prefix="/ems/incidents/{incident_id}", tags=["ems"])


@router.post("/sync", dependencies=[requires(CHART_WRITE)])
async def sync_chart(given: SyncRequest, sync: Sync) -> SyncResult:
    """Save several changes of one chart in order. Each is atomic and has its own result: saved, conflict or refused.

    If the answer was lost, send the same changes again. A creation with the same `id` and `data` is saved again, and so
    is a patch or a deletion that nothing followed.
    """
    return await sync.apply(given.changes)
