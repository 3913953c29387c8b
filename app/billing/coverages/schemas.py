"""Coverages as clients create, change and read them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Literal

from pydantic import MISSING, Field

from app.billing.coverages.models import CoverageOrigin, Relationship
from app.billing.party_fields import (
    FirstName,
    GroupNumber,
    InsuranceType,
    LastName,
    MemberId,
    MiddleName,
    NameSuffix,
    Sex,
)
from app.core.addresses import PostalCode, Region
from app.core.geography import Country
from app.core.schemas import CreateModel, Date, EntityRead, RequestModel, Text, VersionedPatch, length

Sequence = Annotated[
    Literal["P", "S", "T"],
    Field(description="SBR01: the primary, secondary or tertiary payer; a patient has one of each"),
]
_RELATIONS = ", ".join(f"{one.value} {one.name.lower().replace('_', ' ')}" for one in Relationship)
RelationshipCode = Annotated[
    Relationship, Field(description=f"What the patient is to the subscriber (SBR02, PAT01): {_RELATIONS}")
]


class _CoverageFields(RequestModel):
    payer_record_id: uuid.UUID | None = Field(None, description="The payer among billing/payers; null while unknown")
    member_id: MemberId | None = Field(
        None,
        description="The insured person's number with the payer (NM109); a Medicare number is kept without its dashes",
    )
    group_number: GroupNumber | None = Field(None, description="Number of the group or policy (SBR03)")
    group_name: Annotated[Text, length(60)] | None = Field(None, description="Name of the group or plan (SBR04)")
    insurance_type: InsuranceType | None = Field(
        None, description="SBR05: why Medicare is not the primary payer, such as 12 for the working aged"
    )
    subscriber_last_name: LastName | None = Field(
        None, description="Of the person insured, if that is not the patient (2010BA NM103)"
    )
    subscriber_first_name: FirstName | None = Field(None, description="NM104")
    subscriber_middle_name: MiddleName | None = Field(None, description="NM105")
    subscriber_name_suffix: NameSuffix | None = Field(None, description="NM107, such as JR")
    subscriber_date_of_birth: Date | None = Field(None, description="DMG02")
    subscriber_sex: Sex | None = Field(None, description="DMG03: F, M or U")
    subscriber_street: Annotated[Text, length(55)] | None = Field(None, description="House number and street (N301)")
    subscriber_unit: Annotated[Text, length(55)] | None = Field(None, description="Apartment (N302)")
    subscriber_city: Annotated[Text, length(30, 2)] | None = Field(None, description="Name of the city (N401)")
    subscriber_state: Region | None = None
    subscriber_zip: PostalCode | None = None
    subscriber_country: Country | None = None
    effective_from: Date | None = Field(None, description="First day of the coverage; null: not known")
    effective_to: Date | None = Field(None, description="Last day of the coverage; null: not known, or none yet")


class CoverageCreate(_CoverageFields, CreateModel):
    incident_id: uuid.UUID
    patient_id: uuid.UUID
    sequence: Sequence = "P"
    relationship: RelationshipCode = Relationship.SELF


class CoveragePatch(_CoverageFields, VersionedPatch):
    """With relationship 18, what is known of another subscriber is dropped."""

    sequence: Sequence | MISSING = MISSING
    relationship: RelationshipCode | MISSING = MISSING


class CarryForward(CreateModel):
    """To which patient of which call a coverage is copied."""

    incident_id: uuid.UUID = Field(description="Another call of the same billing account")
    patient_id: uuid.UUID = Field(description="The patient of that call")
    sequence: Sequence | None = Field(None, description="SBR01 there; null: as here")


class CoverageRead(EntityRead):
    incident_id: uuid.UUID
    patient_id: uuid.UUID
    origin: CoverageOrigin = Field(
        description="charted: ePayment said it; entered: a biller did; carried_forward: it is the copy of another one"
    )
    carried_from_id: uuid.UUID | None = Field(description="The coverage that this one was copied from")
    payer_record_id: uuid.UUID | None
    charted_payer_name: str | None = Field(description="What the crew wrote of the payer (ePayment.10)")
    sequence: Sequence
    member_id: str | None
    group_number: str | None
    group_name: str | None
    insurance_type: str | None
    relationship: RelationshipCode
    subscriber_last_name: str | None
    subscriber_first_name: str | None
    subscriber_middle_name: str | None
    subscriber_name_suffix: str | None
    subscriber_date_of_birth: dt.date | None
    subscriber_sex: str | None
    subscriber_street: str | None
    subscriber_unit: str | None
    subscriber_city: str | None
    subscriber_state: str | None
    subscriber_zip: str | None
    subscriber_country: str | None
    effective_from: dt.date | None
    effective_to: dt.date | None
