"""The incident as clients create, change and read it."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Annotated

from pydantic import MISSING, Field

from app.core.addresses import County, PostalCode, Region
from app.core.facilities.public import FacilitySnapshot
from app.core.geography import Country, Latitude, Longitude
from app.core.schemas import CreateModel, RequestModel, Text, length
from app.core.vehicles.public import VehicleSnapshot
from app.ems.chart.schemas import ChartPatch, ChartRead, ChartTime, Coded, WithElements
from app.ems.lifecycle import IncidentStatus

IncidentNumber = Annotated[Text, length(50, 3)]


class _IncidentFields(RequestModel):
    vehicle_id: uuid.UUID | None = Field(
        None,
        description="A vehicle of the agency: eResponse.07, .13 and .14, where `elements` does not say them",
    )
    dispatch_time: ChartTime | None = Field(None, description="eTimes.03 Unit notified by dispatch")
    enroute_time: ChartTime | None = Field(None, description="eTimes.05 Unit en route")
    arrival_time: ChartTime | None = Field(None, description="eTimes.06 Unit arrived on scene")
    depart_scene_time: ChartTime | None = Field(
        None, description="eTimes.09 Unit left scene; a patient may have another"
    )
    arrived_destination_time: ChartTime | None = Field(
        None, description="eTimes.11 Patient arrived at destination; a patient may have another"
    )
    cleared_time: ChartTime | None = Field(None, description="eTimes.13 Unit back in service")
    location_type: Annotated[Text, Coded("eScene.09")] | None = None
    location_street: Annotated[Text, Coded("eScene.15")] | None = None
    location_unit: Annotated[Text, Coded("eScene.16")] | None = None
    location_city: Annotated[Text, length(30, 2)] | None = Field(
        None, description="Name of the city (837P N401); its GNIS code is eScene.17"
    )
    location_state: Region | None = Field(None, description="USPS state (eScene.18), or the part of a country abroad")
    location_zip: PostalCode | None = Field(None, description="ZIP code (eScene.19), or the postal code abroad")
    location_county: County | None = Field(None, description="ANSI county; eScene.21")
    location_country: Country | None = Field(None, description="ISO 3166, null for the United States; eScene.22")
    location_latitude: Latitude | None = Field(
        None, description="eScene.11, with the longitude; rounded to six decimal places"
    )
    location_longitude: Longitude | None = Field(
        None, description="eScene.11, with the latitude; rounded to six decimal places"
    )
    origin_facility_id: uuid.UUID | None = Field(
        None, description="The facility where the patients were: the scene's name, code and address, where not charted"
    )
    destination_facility_id: uuid.UUID | None = Field(
        None, description="The facility to which the unit went, for each transported patient who names no destination"
    )
    disposition: Annotated[Text, Coded("eDisposition.27")] | None = Field(
        None, description="eDisposition.27 of each patient who has none of their own"
    )
    primary_impression: Annotated[Text, Coded("eSituation.11")] | None = Field(
        None, description="eSituation.11 of a sole patient, ICD-10-CM; counts for nobody where there are several"
    )


class IncidentCreate(_IncidentFields, WithElements, CreateModel):
    incident_number: IncidentNumber = Field(description="eResponse.03 Incident number", examples=["26-004711"])


class IncidentPatch(_IncidentFields, ChartPatch):
    incident_number: IncidentNumber | MISSING = Field(MISSING, description="eResponse.03 Incident number")


class IncidentRead(ChartRead):
    status: IncidentStatus
    allowed_actions: list[str] = Field(description="Transitions that this user may fire now")
    created_by: uuid.UUID = Field(description="Who opened the chart; nobody who wrote part of it may review it")
    incident_number: str
    vehicle_id: uuid.UUID | None
    vehicle: VehicleSnapshot | None = Field(description="The vehicle as it was when it was named")
    dispatch_time: dt.datetime | None
    enroute_time: dt.datetime | None
    arrival_time: dt.datetime | None
    depart_scene_time: dt.datetime | None
    arrived_destination_time: dt.datetime | None
    cleared_time: dt.datetime | None
    location_type: str | None
    location_street: str | None
    location_unit: str | None
    location_city: str | None
    location_state: str | None
    location_zip: str | None
    location_county: str | None
    location_country: str | None
    location_latitude: Decimal | None
    location_longitude: Decimal | None
    origin_facility_id: uuid.UUID | None
    origin_facility: FacilitySnapshot | None = Field(description="The facility as it was when it was named")
    destination_facility_id: uuid.UUID | None
    destination_facility: FacilitySnapshot | None = Field(description="The facility as it was when it was named")
    disposition: str | None
    primary_impression: str | None
    completed_at: dt.datetime | None = Field(
        description="When the review was completed; the auto-lock counts from here"
    )
