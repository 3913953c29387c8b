"""Physician certification statements as billers keep and read them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from pydantic import MISSING, Field

from app.billing.certificates.models import CertifierRole
from app.core.schemas import CreateModel, Date, EntityRead, RequestModel, Text, VersionedPatch, length

Repetitive = Annotated[bool, Field(strict=True, description="Whether it orders scheduled repetitive transports")]


class _CertificateFields(RequestModel):
    signer_name: Annotated[Text, length(100)] | None = Field(None, description="Name of the person who signed")
    signer_role: CertifierRole | None = Field(None, description="As what the person signed (42 CFR 410.40)")
    signed_on: Date | None = Field(None, description="The day of the signature; null if it was not to be had")
    valid_from: Date | None = Field(None, description="Of an order for repetitive transports: its first day")
    valid_to: Date | None = Field(None, description="Its last day, at most 60 days after the signature")
    attempted_on: Date | None = Field(None, description="When the agency tried to have it signed")
    attempt: Annotated[Text, length(500)] | None = Field(
        None, description="What was tried, such as the number of the certified letter"
    )
    attachment_id: uuid.UUID | None = Field(None, description="The scan among the chart's attachments")


class CertificateCreate(_CertificateFields, CreateModel):
    incident_id: uuid.UUID = Field(description="The call whose transport it certifies")
    patient_id: uuid.UUID
    is_repetitive: Repetitive = False


class CertificatePatch(_CertificateFields, VersionedPatch):
    is_repetitive: Repetitive | MISSING = MISSING


class CertificateRead(EntityRead):
    incident_id: uuid.UUID
    patient_id: uuid.UUID
    signer_name: str | None = Field(description="Name of the person who signed")
    signer_role: CertifierRole | None = Field(description="As what the person signed (42 CFR 410.40)")
    signed_on: dt.date | None = Field(description="The day of the signature; null if it was not to be had")
    is_repetitive: bool = Field(description="Whether it orders scheduled repetitive transports")
    valid_from: dt.date | None = Field(description="Of an order for repetitive transports: its first day")
    valid_to: dt.date | None = Field(description="Its last day, at most 60 days after the signature")
    attempted_on: dt.date | None = Field(description="When the agency tried to have it signed")
    attempt: str | None = Field(description="What was tried, such as the number of the certified letter")
    attachment_id: uuid.UUID | None = Field(description="The scan among the chart's attachments")
