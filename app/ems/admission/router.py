"""Routes of ems/late-entries, and of the late entries of one incident."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.core.dependencies import requires
from app.core.filters import OneOf
from app.core.pagination import OldestFirstQuery, Page, PagingQuery
from app.ems.admission.service import Admission, LateEntries
from app.ems.late_entries.lifecycle import LateEntryStatus
from app.ems.late_entries.schemas import LateEntryRead, LateEntryTransitionRequest
from app.ems.permissions import CHART_READ, CHART_WRITE

router = APIRouter(prefix="/ems", tags=["ems"])


@router.get("/late-entries", dependencies=[requires(CHART_READ)])
async def list_late_entries(
    late: LateEntries,
    paging: OldestFirstQuery,
    status: OneOf[LateEntryStatus] = None,
    author_id: OneOf[uuid.UUID] = None,
) -> Page[LateEntryRead]:
    """Entries that came in after their charts were submitted, the longest waiting first.

    Without `status`, those that wait for a decision. `author_id` is the charts' author.
    """
    return await late.list_work(paging, status=status or [LateEntryStatus.PENDING], author_id=author_id)


@router.get("/incidents/{incident_id}/late-entries", dependencies=[requires(CHART_READ)])
async def list_late_entries_of_chart(
    incident_id: uuid.UUID, late: LateEntries, paging: PagingQuery, status: OneOf[LateEntryStatus] = None
) -> Page[LateEntryRead]:
    """Entries of one chart that came in after it was submitted: who charted them, and what became of them."""
    return await late.list_of_chart(incident_id, paging, status=status)


@router.post("/incidents/{incident_id}/late-entries/{late_entry_id}/transitions", dependencies=[requires(CHART_WRITE)])
async def transition_late_entry(
    incident_id: uuid.UUID, late_entry_id: uuid.UUID, given: LateEntryTransitionRequest, admission: Admission
) -> LateEntryRead:
    """Admit a late entry to the chart, or refuse it with a `reason`. The chart's author and reviewers may.

    It is admitted to an open chart: the submitter recalls the chart, or a reviewer returns it, before. A chart is not
    completed while an entry waits.
    """
    return await admission.decide(incident_id, late_entry_id, given)
