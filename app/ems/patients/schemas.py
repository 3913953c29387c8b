"""The patient as clients create, change and read it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any

from pydantic import Field, field_serializer

from app.core.addresses import County, PostalCode, Region
from app.core.facilities.public import FacilitySnapshot
from app.core.geography import Country
from app.core.schemas import Date, RequestModel, Text, length
from app.ems.chart.schemas import ChartPatch, ChartRead, ChartTime, ChildCreate, Coded
from app.ems.patients.identifiers import shown_elements
from app.ems.patients.models import AgeUnit, Gender


class _PatientFields(RequestModel):
    ems_patient_id: Annotated[Text, Coded("ePatient.01")] | None = None
    last_name: Annotated[Text, Coded("ePatient.02")] | None = None
    first_name: Annotated[Text, Coded("ePatient.03")] | None = None
    middle_name: Annotated[Text, Coded("ePatient.04")] | None = None
    name_suffix: Annotated[Text, Coded("ePatient.23")] | None = None
    date_of_birth: Date | None = Field(None, description="ePatient.17")
    age: Annotated[int, Field(strict=True, ge=1, le=120)] | None = Field(None, description="ePatient.15, with its unit")
    age_unit: AgeUnit | None = Field(None, description="ePatient.16")
    gender: Gender | None = Field(None, description="ePatient.25 Sex")
    home_street: Annotated[Text, Coded("ePatient.05")] | None = None
    home_city: Annotated[Text, length(30, 2)] | None = Field(
        None, description="Name of the city (837P N401); its GNIS code is ePatient.06"
    )
    home_state: Region | None = Field(None, description="USPS state (ePatient.08), or the part of a country abroad")
    home_zip: PostalCode | None = Field(None, description="ZIP code (ePatient.09), or the postal code abroad")
    home_county: County | None = Field(None, description="ANSI county; ePatient.07")
    home_country: Country | None = Field(None, description="ISO 3166, null for the United States; ePatient.10")
    destination_facility_id: uuid.UUID | None = Field(
        None, description="The facility to which this patient went: name, code and address, where not charted"
    )
    destination_name: Annotated[Text, Coded("eDisposition.01")] | None = None
    destination_street: Annotated[Text, Coded("eDisposition.03")] | None = None
    destination_city: Annotated[Text, length(30, 2)] | None = Field(
        None, description="Name of the city; its GNIS code is eDisposition.04"
    )
    destination_state: Region | None = Field(None, description="USPS state (eDisposition.05), or the part of a country")
    destination_zip: PostalCode | None = Field(
        None, description="ZIP code (eDisposition.07), or the postal code abroad"
    )
    destination_county: County | None = Field(None, description="ANSI county; eDisposition.06")
    destination_country: Country | None = Field(
        None, description="ISO 3166, null for the United States; eDisposition.08"
    )
    depart_scene_time: ChartTime | None = Field(
        None, description="eTimes.09 of this patient, where it differs from the incident's"
    )
    arrived_destination_time: ChartTime | None = Field(
        None, description="eTimes.11 of this patient, where it differs from the incident's"
    )


class PatientCreate(_PatientFields, ChildCreate):
    """A new patient. Everything about a patient may be unknown at first."""


class PatientPatch(_PatientFields, ChartPatch):
    pass


class PatientRead(ChartRead):
    """A patient. An answer shows the last four digits of ePatient.12; within the service the number is whole."""

    incident_id: uuid.UUID
    pcr_uuid: uuid.UUID = Field(description="PatientCareReport UUID of the NEMSIS document")
    ems_patient_id: str | None
    last_name: str | None
    first_name: str | None
    middle_name: str | None
    name_suffix: str | None
    date_of_birth: dt.date | None
    age: int | None
    age_unit: AgeUnit | None
    gender: Gender | None
    home_street: str | None
    home_city: str | None
    home_state: str | None
    home_zip: str | None
    home_county: str | None
    home_country: str | None
    destination_facility_id: uuid.UUID | None
    destination_facility: FacilitySnapshot | None = Field(
        description="The facility as it was when it was named; null: as the incident says"
    )
    destination_name: str | None
    destination_street: str | None
    destination_city: str | None
    destination_state: str | None
    destination_zip: str | None
    destination_county: str | None
    destination_country: str | None
    depart_scene_time: dt.datetime | None = Field(description="This patient's own; null: as the incident says")
    arrived_destination_time: dt.datetime | None = Field(description="This patient's own; null: as the incident says")

    @field_serializer("elements")
    def _shown_elements(self, elements: dict[str, Any]) -> dict[str, Any]:
        return shown_elements(elements)
