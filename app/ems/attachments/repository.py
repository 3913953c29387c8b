"""Queries for attachments."""

from __future__ import annotations

from app.core.repository import Repository
from app.ems.attachments.models import Attachment


class AttachmentRepository(Repository[Attachment]):
    entity = Attachment
    filters = ("incident_id", "patient_id")
