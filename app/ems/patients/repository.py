"""Queries for patients."""

from __future__ import annotations

from app.core.repository import Repository
from app.ems.patients.models import Patient


class PatientRepository(Repository[Patient]):
    entity = Patient
    filters = ("incident_id",)
