"""The report of a re-pricing, and the request to price a claim."""

from __future__ import annotations

import uuid
from decimal import Decimal

from pydantic import Field

from app.core.schemas import EntityRead, RequestModel, Version


class PricingRequest(RequestModel):
    version: Version


class RepricingRead(EntityRead):
    schedule_id: uuid.UUID = Field(description="The schedule that was changed")
    schedule_version: int = Field(description="The version that the change made")
    changed_by: uuid.UUID | None = Field(description="The user, or the external API key, that made the change")
    claim_id: uuid.UUID = Field(description="The open claim that was priced again")
    old_charge: Decimal = Field(description="The claim's charge before")
    new_charge: Decimal = Field(description="The claim's charge since")
