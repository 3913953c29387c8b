"""The route ems/incidents/{incident_id}/moves."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.core.dependencies import requires
from app.core.openapi import errors
from app.ems.moves.schemas import MoveRead, MoveRequest
from app.ems.moves.service import Moves
from app.ems.permissions import CHART_WRITE

router = APIRouter(prefix="/ems/incidents/{incident_id}", tags=["ems"])


@router.post("/moves", responses=errors(409), dependencies=[requires(CHART_WRITE)])
async def move_entries(incident_id: uuid.UUID, given: MoveRequest, moves: Moves) -> MoveRead:
    """Give entries that were charted for the wrong patient to the right one: all of them, or none.

    Groups that are nested in a moved group go with it. A signature is not moved: void it, and have it signed again. In
    `completed` an admin amends, with a `reason`.
    """
    return await moves.move(incident_id, given)
