"""Queries for NEMSIS exports."""

from __future__ import annotations

from app.core.repository import Repository
from app.nemsis.exports.models import NemsisExport


class NemsisExportRepository(Repository[NemsisExport]):
    entity = NemsisExport
    filters = ("incident_id", "patient_id", "status")
    ranges = ("created_at",)
