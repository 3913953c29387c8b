"""Billing accounts as clients create, change and read them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from pydantic import MISSING, Field

from app.core.addresses import PostalCode, Region
from app.core.geography import Country
from app.core.schemas import CreateModel, Date, EntityRead, ReadModel, RequestModel, Text, VersionedPatch, length

PHONE, EMAIL, LANGUAGE = r"^[0-9]{10}$", r"^[^@\s]+@[^@\s]+$", r"^[a-z]{3}$"
LastName = Annotated[Text, length(60), Field(description="Of the person who is responsible for the bills")]


class _AccountFields(RequestModel):
    first_name: Annotated[Text, length(50)] | None = Field(None, description="Given name")
    middle_name: Annotated[Text, length(50)] | None = Field(None, description="Middle name or initial")
    name_suffix: Annotated[Text, length(10)] | None = Field(None, description="Such as JR")
    date_of_birth: Date | None = Field(None, description="Of that person, not of a child whose bills they pay")
    date_of_death: Date | None = Field(None, description="Since when the bills go to the estate")
    phone: Annotated[Text, Field(pattern=PHONE)] | None = Field(None, description="Ten digits", examples=["2175550142"])
    email: Annotated[Text, length(100, 3), Field(pattern=EMAIL)] | None = Field(None, description="E-mail address")
    language: Annotated[Text, Field(pattern=LANGUAGE)] | None = Field(
        None, description="Preferred language, three letters of ISO 639-2 (ePatient.24)", examples=["spa"]
    )
    street: Annotated[Text, length(255)] | None = Field(None, description="House number and street")
    unit: Annotated[Text, length(55)] | None = Field(None, description="Apartment")
    city: Annotated[Text, length(100)] | None = Field(None, description="Name of the city")
    state: Region | None = None
    zip: PostalCode | None = None
    country: Country | None = None


class AccountCreate(_AccountFields, CreateModel):
    last_name: LastName


class AccountPatch(_AccountFields, VersionedPatch):
    last_name: LastName | MISSING = MISSING


class AccountSnapshot(ReadModel):
    """The person of a billing account."""

    last_name: LastName
    first_name: str | None
    middle_name: str | None
    name_suffix: str | None
    date_of_birth: dt.date | None
    date_of_death: dt.date | None
    phone: str | None
    email: str | None
    language: str | None
    street: str | None
    unit: str | None
    city: str | None
    state: str | None
    zip: str | None
    country: str | None


class AccountRead(AccountSnapshot, EntityRead):
    account_number: str = Field(description="Random, with a check character; stands on every bill")


class AccountPatientRead(EntityRead):
    """A patient of a call whose bills go to the account."""

    account_id: uuid.UUID = Field(description="The billing account that they are joined to")
    incident_id: uuid.UUID
    patient_id: uuid.UUID
