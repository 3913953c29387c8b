"""Exemptions as billers record and read them."""

from __future__ import annotations

import uuid
from typing import Annotated

from pydantic import Field

from app.billing.exemptions.models import ExemptionOrigin, ExemptionReason
from app.core.schemas import CreateModel, EntityRead, Text, length


class ExemptionCreate(CreateModel):
    incident_id: uuid.UUID = Field(description="The locked chart that nobody is billed for")
    patient_id: uuid.UUID | None = Field(None, description="Null if the reason holds for the whole call")
    reason: ExemptionReason = Field(description="Why there is no claim")
    note: Annotated[Text, length(500)] | None = Field(None, description="What colleagues are to know about it")


class ExemptionRead(EntityRead):
    incident_id: uuid.UUID
    patient_id: uuid.UUID | None = Field(description="Null if the reason holds for the whole call")
    reason: ExemptionReason = Field(description="Why there is no claim")
    note: str | None = Field(description="What colleagues are to know about it")
    origin: ExemptionOrigin = Field(description="`derived` from the chart by the service, or `entered` by a biller")
