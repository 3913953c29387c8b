"""Queries for interventions."""

from __future__ import annotations

from app.core.repository import Repository
from app.ems.interventions.models import Intervention


class InterventionRepository(Repository[Intervention]):
    entity = Intervention
    filters = ("incident_id", "patient_id")
    ranges = ("performed_at",)
    sorts = ranges
