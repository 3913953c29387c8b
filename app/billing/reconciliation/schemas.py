"""Trips as reconciliation lists them."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum

from pydantic import Field

from app.billing.exemptions.models import ExemptionOrigin, ExemptionReason
from app.core.schemas import ReadModel


class TripState(StrEnum):
    """`open`: neither a claim nor a reason. `exempt`: no claim, and a reason for it."""

    OPEN = "open"
    EXEMPT = "exempt"


class TripRead(ReadModel):
    """One patient of a locked chart for whom there is no claim, or a chart without patients."""

    incident_id: uuid.UUID
    patient_id: uuid.UUID | None = Field(description="Null for a chart without patients")
    incident_number: str = Field(description="eResponse.03")
    dispatch_time: dt.datetime | None = Field(description="eTimes.03")
    created_at: dt.datetime = Field(description="When the chart was opened")
    state: TripState = Field(description="`open` wants a claim or a reason, `exempt` has a reason")
    exemption_id: uuid.UUID | None = Field(description="The exemption that gives the reason")
    reason: ExemptionReason | None = Field(description="Why there is no claim; null if nobody has said")
    origin: ExemptionOrigin | None = Field(description="Who found the reason")
