"""Queries for signatures."""

from __future__ import annotations

from app.core.repository import Repository
from app.ems.signatures.models import Signature


class SignatureRepository(Repository[Signature]):
    entity = Signature
    filters = ("incident_id", "patient_id", "status", "statement_code")
