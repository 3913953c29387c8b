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
    """Save several changes of one chart in order. Each is atomic and has its own result.

    - `saved`, or `partly_saved` for a set of vital signs in which a field is wrong: the others are saved, and
      `problems` names what was not.
    - `held`: the chart waits for review, so a new entry is kept beside it, for its author and reviewer to decide.
    - `conflict`: somebody changed or deleted the record since. `resource` is how it stands now.
    - `refused`: nothing of this change was saved. What needs a refused creation is refused with `DEPENDENCY_REFUSED`.

    A whole call charted offline goes in one request: name its address by an id of your own, and create the incident in
    the first change. Signatures and attachments answer with the link to which their content is sent; a later sync
    completes them with a `transition`.

    If the answer was lost, send the same changes again. What was saved is not saved twice.
    """
    return await sync.apply(given.changes)
