"""Queries for vitals."""

from __future__ import annotations

from app.core.repository import Repository
from app.ems.vitals.models import Vital


class VitalRepository(Repository[Vital]):
    entity = Vital
    filters = ("incident_id", "patient_id")
    ranges = ("taken_at",)
    sorts = ranges
