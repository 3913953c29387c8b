"""The table incidents (directive 5.1)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, internal, phi, plain
from app.core.db.entity import standard_constraints
from app.core.errors import Problem
from app.ems.chart.columns import ChartEntry, charted_check, elements_column
from app.ems.elements import Owner
from app.ems.lifecycle import IncidentStatus, incident_lifecycle

# In PostgreSQL's own spelling, with which the check of migrations compares it.
_DISPATCHED_OR_MADE = "(\nCASE\nWHEN dispatch_time IS NULL THEN created_at\nELSE dispatch_time\nEND)"


class Incident(ChartEntry):
    """The head of a chart. Coded columns hold NEMSIS codes.

    `authors` are the users who may not review the chart. It is set when the chart is submitted: to those who wrote or
    submitted part of it, or to nobody where the agency lets authors review. None means that it was never submitted.
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
    }

    created_by: Mapped[uuid.UUID] = internal()
    authors: Mapped[list[uuid.UUID] | None] = plain(sa.ARRAY(sa.Uuid()), default=None, init=False)
    status: Mapped[IncidentStatus] = plain(EnumText(IncidentStatus), default=IncidentStatus.DRAFT)
    incident_number: Mapped[str] = plain()
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
    location_latitude: Mapped[Decimal | None] = phi(sa.Numeric(), default=None)
    location_longitude: Mapped[Decimal | None] = phi(sa.Numeric(), default=None)
    disposition: Mapped[str | None] = plain(default=None)
    primary_impression: Mapped[str | None] = phi(default=None)
    completed_at: Mapped[dt.datetime | None] = plain(default=None)
    elements: Mapped[dict[str, Any]] = elements_column()

    def inconsistencies(self) -> list[Problem]:
        """A latitude without a longitude, or the other way round. eScene.11 is both: half could never be exported."""
        for given, missing in (
            ("location_latitude", "location_longitude"),
            ("location_longitude", "location_latitude"),
        ):
            if getattr(self, given) is not None and getattr(self, missing) is None:
                return [Problem.missing(missing, "Give latitude and longitude together.")]
        return []

    __table_args__ = (
        *standard_constraints("incidents", "status"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "created_by"], ["users.tenant_id", "users.id"], name="fk_incidents_created_by"
        ),
        sa.Index("ix_incidents_tenant_incident_number", "tenant_id", "incident_number"),
        sa.Index(
            "ix_incidents_tenant_dispatch_time",
            "tenant_id",
            sa.text(_DISPATCHED_OR_MADE),
            "id",
        ),
        incident_lifecycle.check(),
        charted_check("location_latitude", "-90", "90", 6),
        charted_check("location_longitude", "-180", "180", 6),
    )
