"""What the guards of approval and export judge by, read from the chart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from app.billing.claims.lifecycle import ClaimFacts
from app.billing.claims.models import Claim, ClaimLine
from app.billing.content import draft_submission
from app.billing.x12.professional_claim import ClaimSubmission
from app.core.db.uow import ReadUnitOfWork
from app.core.tenants.models import Tenant
from app.ems.public import IncidentRead, IncidentStatus, get_patient_charts


class Judged(NamedTuple):
    """`submission` is None when the claim's patient is gone from the chart."""

    facts: ClaimFacts
    submission: ClaimSubmission | None


async def judge(
    uow: ReadUnitOfWork,
    claim: Claim,
    lines: Sequence[ClaimLine],
    *,
    incident: IncidentRead,
    profile: Tenant,
    at: dt.datetime,
) -> Judged:
    """`incident` is held by the caller: a locked chart does not change until the unit of work ends."""
    locked = incident.status is IncidentStatus.LOCKED
    charts = await get_patient_charts(uow, claim.incident_id)
    chart = next((chart for chart in charts if chart.patient.id == claim.patient_id), None)
    if chart is None:
        gone = {"field": "patient_id", "code": "unknown_patient", "message": "The chart no longer has this patient."}
        return Judged(ClaimFacts(locked, (gone,)), None)
    draft = draft_submission(profile, chart, claim, lines, at)
    return Judged(ClaimFacts(locked, draft.problems), draft.submission)
