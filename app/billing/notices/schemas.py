"""Advance beneficiary notices as billers keep and read them."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Annotated

from pydantic import MISSING, Field

from app.billing.notices.models import NoticeOption
from app.core.schemas import CreateModel, Date, EntityRead, Money, RequestModel, Text, VersionedPatch, Words, length

SignedOn = Annotated[Date, Field(description="The day of the signature, before the transport or on its day")]
Option = Annotated[
    NoticeOption,
    Field(description="What the patient chose: 1 Medicare is asked, 2 it is not asked, 3 the service is not wanted"),
]
Voluntary = Annotated[
    bool, Field(strict=True, description="Whether Medicare never covers the service (GX); else it may not (GA)")
]
Reason = Annotated[Words, length(500), Field(description="Why Medicare may not pay, as the form says")]
SignerName = Annotated[Text, length(100), Field(description="Name of the patient, or of who signed for them")]


class _NoticeFields(RequestModel):
    estimated_cost: Money | None = Field(None, description="What the form says that it will cost")
    attachment_id: uuid.UUID | None = Field(None, description="The scan among the chart's attachments")


class NoticeCreate(_NoticeFields, CreateModel):
    incident_id: uuid.UUID = Field(description="The call whose transport it is about")
    patient_id: uuid.UUID
    signer_name: SignerName
    signed_on: SignedOn
    option: Option
    reason: Reason
    is_voluntary: Voluntary = False


class NoticePatch(_NoticeFields, VersionedPatch):
    signer_name: SignerName | MISSING = MISSING
    signed_on: SignedOn | MISSING = MISSING
    option: Option | MISSING = MISSING
    reason: Reason | MISSING = MISSING
    is_voluntary: Voluntary | MISSING = MISSING


class NoticeRead(EntityRead):
    incident_id: uuid.UUID
    patient_id: uuid.UUID
    signer_name: str
    signed_on: dt.date
    option: Option
    reason: str = Field(description="Why Medicare may not pay, as the form says")
    is_voluntary: bool = Field(description="Whether Medicare never covers the service (GX); else it may not (GA)")
    estimated_cost: Decimal | None = Field(description="What the form says that it will cost")
    attachment_id: uuid.UUID | None = Field(description="The scan among the chart's attachments")
