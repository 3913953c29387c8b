"""Queries for incidents."""

from __future__ import annotations

from app.core.repository import Repository
from app.ems.incidents.models import Incident


class IncidentRepository(Repository[Incident]):
    entity = Incident
    filters = ("status", "incident_number", "created_by", "vehicle_id")
    ranges = ("created_at", "dispatch_time")
    sorts = ("dispatch_time",)
