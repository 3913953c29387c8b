"""Queries for narratives."""

from __future__ import annotations

from app.core.repository import Repository
from app.ems.narratives.models import Narrative


class NarrativeRepository(Repository[Narrative]):
    entity = Narrative
    filters = ("incident_id", "patient_id")
