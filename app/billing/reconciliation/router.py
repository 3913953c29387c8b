"""billing/reconciliation."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from app.billing.permissions import CLAIM_CLINICAL
from app.billing.reconciliation.schemas import TripRead, TripState
from app.billing.reconciliation.service import ReconciliationReads
from app.core.dependencies import requires
from app.core.filters import FilterText, From, OneOf, To
from app.core.pagination import OldestFirstQuery, Page

router = APIRouter(prefix="/billing/reconciliation", tags=["billing"])
State = Annotated[TripState, Query(description="`open` wants a claim or a reason, `exempt` has a reason")]


@router.get("", dependencies=[requires(CLAIM_CLINICAL)])
async def list_trips(
    trips: ReconciliationReads,
    paging: OldestFirstQuery,
    state: State = TripState.OPEN,
    incident_number: OneOf[FilterText] = None,
    created_at_from: From = None,
    created_at_to: To = None,
    dispatch_time_from: From = None,
    dispatch_time_to: To = None,
) -> Page[TripRead]:
    """Patients of locked charts without a claim, the oldest chart first. POST billing/exemptions gives the reason."""
    return await trips.list_page(
        state,
        paging,
        incident_number=incident_number,
        created_at_from=created_at_from,
        created_at_to=created_at_to,
        dispatch_time_from=dispatch_time_from,
        dispatch_time_to=dispatch_time_to,
    )
