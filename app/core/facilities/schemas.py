"""Facilities as clients create, change and read them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import MISSING, Field

from app.core.addresses import County, PostalCode, Region
from app.core.facilities.models import BillingLetter, FacilityType, HospitalDesignation
from app.core.geography import Country, Latitude, Longitude
from app.core.identifiers import Npi
from app.core.reference.schemas import coded
from app.core.schemas import CreateModel, EntityRead, ReadModel, RequestModel, Text, VersionedPatch, length

FacilityName = Annotated[Text, length(100, 2), Field(description="dFacility.02")]
CodedType = Annotated[FacilityType, coded("dFacility.01", FacilityType)]
CodedDesignation = Annotated[HospitalDesignation, coded("dFacility.04", HospitalDesignation)]
Letter = Annotated[
    BillingLetter,
    Field(
        description="Of the origin and destination modifier of claims: "
        + ", ".join(f"{letter.value} {letter.name.lower().replace('_', ' ')}" for letter in BillingLetter)
    ),
]


class _FacilityFields(RequestModel):
    location_code: Annotated[Text, length(50, 2)] | None = Field(
        None, description="dFacility.03, the state's code of the facility; unique in the agency"
    )
    billing_letter: Letter | None = None
    npi: Npi | None = Field(None, description="dFacility.05, with its check digit")
    designations: list[CodedDesignation] | None = Field(
        None, min_length=1, max_length=len(HospitalDesignation), description="Of a hospital; null for none"
    )
    street: Annotated[Text, length(55)] | None = Field(None, description="dFacility.07 (837P N301)")
    unit: Annotated[Text, length(15)] | None = Field(None, description="dFacility.06 Room, suite or apartment")
    city: Annotated[Text, length(30, 2)] | None = Field(None, description="Name of the city (837P N401)")
    state: Region | None = None
    zip: PostalCode | None = None
    county: County | None = None
    country: Country | None = None
    latitude: Latitude | None = Field(
        None, description="dFacility.13, with the longitude; rounded to six decimal places"
    )
    longitude: Longitude | None = Field(
        None, description="dFacility.13, with the latitude; rounded to six decimal places"
    )


class FacilityCreate(_FacilityFields, CreateModel):
    name: FacilityName
    facility_type: CodedType


class FacilityPatch(_FacilityFields, VersionedPatch):
    name: FacilityName | MISSING = MISSING
    facility_type: CodedType | MISSING = MISSING


class _FacilityShown(ReadModel):
    name: str
    facility_type: CodedType
    location_code: str | None
    billing_letter: Letter | None
    npi: str | None
    designations: list[CodedDesignation] | None
    street: str | None
    unit: str | None
    city: str | None
    state: str | None
    zip: str | None
    county: str | None
    country: str | None
    latitude: Decimal | None
    longitude: Decimal | None


class FacilityRead(_FacilityShown, EntityRead):
    pass


class FacilitySnapshot(_FacilityShown):
    """A facility as it was when a chart named it."""
