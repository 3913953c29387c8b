"""Queries for element groups."""

from __future__ import annotations

from app.core.repository import Repository
from app.ems.element_groups.models import ElementGroup


class ElementGroupRepository(Repository[ElementGroup]):
    entity = ElementGroup
    filters = ("incident_id", "patient_id", "parent_id")
