"""The table incidents (directive 5.1)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.addresses import address_problems, position_problems
from app.core.db.columns import EnumText, decimal_check, internal, phi, plain
from app.core.db.entity import standard_constraints
from app.core.errors import Problem
from app.core.facilities.public import Facility, FacilitySnapshot
from app.core.vehicles.public import Vehicle, VehicleSnapshot, VehicleStatus
from app.ems.chart.columns import ChartEntry, elements_column, snapshot_column
from app.ems.chart.picks import Pick
from app.ems.elements import Owner
from app.ems.lifecycle import IncidentStatus, incident_lifecycle

# In PostgreSQL's own spelling, with which the check of migrations compares it.
_DISPATCHED_OR_MADE = "(\nCASE\nWHEN dispatch_time IS NULL THEN created_at\nELSE dispatch_time\nEND)"


def _retired(vehicle: Vehicle) -> tuple[str, str] | None:
    if vehicle.status is not VehicleStatus.RETIRED:
        return None
    return "retired_vehicle", "This vehicle is retired: chart the unit in eResponse.07, .13 and .14 instead."


class Incident(ChartEntry):
    """The head of a chart. Coded columns hold NEMSIS codes.

    `authors` are the users who may not review the chart. It is set when the chart is submitted: to those who wrote or
    submitted part of it, or to nobody where the agency lets authors review. None means that it was never submitted.
    `submitted_by` is who submitted it last.
    """

    __tablename__ = "incidents"
    entity_type: ClassVar[str] = "incident"
    element_owner: ClassVar[Owner] = Owner.INCIDENT
    element_columns: ClassVar[Mapping[str, str]] = {
        "incident_number": "eResponse.03",
        "dispatch_time": "eTimes.03",
        "enroute_time": "eTimes.05",
        "arrival_time": "eTimes.06",
        "depart_scene_time": "eTimes.09",
        "arrived_destination_time": "eTimes.11",
        "cleared_time": "eTimes.13",
        "location_type": "eScene.09",
        "location_latitude": "eScene.11",
        "location_longitude": "eScene.11",
        "location_street": "eScene.15",
        "location_unit": "eScene.16",
        "location_state": "eScene.18",
        "location_zip": "eScene.19",
        "location_county": "eScene.21",
        "location_country": "eScene.22",
    }

    picks: ClassVar[tuple[Pick, ...]] = (
        Pick("vehicle_id", "vehicle", "vehicle", Vehicle, VehicleSnapshot, refusal=_retired),
        Pick("origin_facility_id", "origin_facility", "facility", Facility, FacilitySnapshot),
        Pick("destination_facility_id", "destination_facility", "facility", Facility, FacilitySnapshot),
    )

    created_by: Mapped[uuid.UUID] = internal()
    authors: Mapped[list[uuid.UUID] | None] = plain(sa.ARRAY(sa.Uuid()), default=None, init=False)
    submitted_by: Mapped[uuid.UUID | None] = plain(default=None, init=False)
    status: Mapped[IncidentStatus] = plain(EnumText(IncidentStatus), default=IncidentStatus.DRAFT)
    incident_number: Mapped[str] = plain()
    vehicle_id: Mapped[uuid.UUID | None] = plain(default=None)
    vehicle: Mapped[dict[str, Any] | None] = snapshot_column(plain)
    dispatch_time: Mapped[dt.datetime | None] = plain(default=None)
    enroute_time: Mapped[dt.datetime | None] = plain(default=None)
    arrival_time: Mapped[dt.datetime | None] = plain(default=None)
    depart_scene_time: Mapped[dt.datetime | None] = plain(default=None)
    arrived_destination_time: Mapped[dt.datetime | None] = plain(default=None)
    cleared_time: Mapped[dt.datetime | None] = plain(default=None)
    location_type: Mapped[str | None] = plain(default=None)
    location_street: Mapped[str | None] = phi(default=None)
    location_unit: Mapped[str | None] = phi(default=None)
    location_city: Mapped[str | None] = phi(default=None)
    location_state: Mapped[str | None] = plain(default=None)
    location_zip: Mapped[str | None] = phi(default=None)
    location_county: Mapped[str | None] = phi(default=None)
    location_country: Mapped[str | None] = plain(default=None)
    location_latitude: Mapped[Decimal | None] = phi(sa.Numeric(), default=None)
    location_longitude: Mapped[Decimal | None] = phi(sa.Numeric(), default=None)
    origin_facility_id: Mapped[uuid.UUID | None] = phi(default=None)
    origin_facility: Mapped[dict[str, Any] | None] = snapshot_column(phi)
    destination_facility_id: Mapped[uuid.UUID | None] = phi(default=None)
    destination_facility: Mapped[dict[str, Any] | None] = snapshot_column(phi)
    disposition: Mapped[str | None] = plain(default=None)
    primary_impression: Mapped[str | None] = phi(default=None)
    completed_at: Mapped[dt.datetime | None] = plain(default=None)
    elements: Mapped[dict[str, Any]] = elements_column()

    def inconsistencies(self) -> list[Problem]:
        """Parts of the location that do not go together."""
        return [*address_problems(self, "location_"), *position_problems(self, "location_")]

    __table_args__ = (
        *standard_constraints("incidents", "status", "vehicle_id"),
        *(
            sa.ForeignKeyConstraint(["tenant_id", name], ["users.tenant_id", "users.id"], name=f"fk_incidents_{name}")
            for name in ("created_by", "submitted_by")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "vehicle_id"], ["vehicles.tenant_id", "vehicles.id"], name="fk_incidents_vehicle_id"
        ),
        *(
            sa.ForeignKeyConstraint(
                ["tenant_id", column], ["facilities.tenant_id", "facilities.id"], name=f"fk_incidents_{column}"
            )
            for column in ("origin_facility_id", "destination_facility_id")
        ),
        sa.Index("ix_incidents_tenant_incident_number", "tenant_id", "incident_number"),
        sa.Index(
            "ix_incidents_tenant_dispatch_time",
            "tenant_id",
            sa.text(_DISPATCHED_OR_MADE),
            "id",
        ),
        incident_lifecycle.check(),
        decimal_check("location_latitude", "-90", "90", 6),
        decimal_check("location_longitude", "-180", "180", 6),
    )
