"""Queries for crew members."""

from __future__ import annotations

from app.core.repository import Repository
from app.ems.crew.models import CrewMember


class CrewRepository(Repository[CrewMember]):
    entity = CrewMember
    filters = ("incident_id",)
