"""billing/worklists, and who works on a claim."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.billing.claims.schemas import ClaimRead
from app.billing.permissions import CLAIM_READ, CLAIM_WRITE
from app.billing.worklists.schemas import (
    AssignmentRequest,
    SnoozeRequest,
    Worklist,
    WorklistClaimRead,
    WorklistCounts,
    WorklistPaging,
)
from app.billing.worklists.service import Work, WorklistReads
from app.core.dependencies import requires
from app.core.filters import From, OneOf, To
from app.core.pagination import Page
from app.core.schemas import Date

router = APIRouter(prefix="/billing", tags=["billing"])
Snoozed = Annotated[bool, Query(description="Claims that rest, too")]
ServedFrom = Annotated[Date | None, Query(description="Served on this day or later")]
ServedTo = Annotated[Date | None, Query(description="Served before this day")]
DueBefore = Annotated[
    Date | None,
    Query(
        description="Of timely_filing and appeal_due: claims whose last day is before this one; by default in 30 days"
    ),
]


@router.get("/worklists", dependencies=[requires(CLAIM_READ)])
async def count_worklists(worklists: WorklistReads) -> WorklistCounts:
    """How many claims wait in each list, and how many of them are this user's."""
    return await worklists.count()


@router.get("/worklists/{name}", dependencies=[requires(CLAIM_READ)])
async def list_worklist(
    name: Annotated[Worklist, Path(description="The worklist")],
    worklists: WorklistReads,
    paging: Annotated[WorklistPaging, Query()],
    due_before: DueBefore = None,
    snoozed: Snoozed = False,
    payer_record_id: OneOf[uuid.UUID] = None,
    assigned_to_user_id: OneOf[uuid.UUID] = None,
    service_date_from: ServedFrom = None,
    service_date_to: ServedTo = None,
    created_at_from: From = None,
    created_at_to: To = None,
) -> Page[WorklistClaimRead]:
    """The claims of one list, the most urgent first. The founder sees them, and nothing about patients."""
    return await worklists.list_page(
        name,
        paging,
        due_before=due_before,
        snoozed=snoozed,
        payer_record_id=payer_record_id,
        assigned_to_user_id=assigned_to_user_id,
        service_date_from=service_date_from,
        service_date_to=service_date_to,
        created_at_from=created_at_from,
        created_at_to=created_at_to,
    )


@router.post("/claims/{claim_id}/assignment", dependencies=[requires(CLAIM_WRITE)])
async def assign_claim(claim_id: uuid.UUID, given: AssignmentRequest, work: Work) -> ClaimRead:
    """Give a claim to somebody who works on claims, or back to everybody."""
    return await work.assign(claim_id, given)


@router.post("/claims/{claim_id}/snooze", dependencies=[requires(CLAIM_WRITE)])
async def snooze_claim(claim_id: uuid.UUID, given: SnoozeRequest, work: Work) -> ClaimRead:
    """Let a claim rest: worklists leave it out until then."""
    return await work.snooze(claim_id, given)
