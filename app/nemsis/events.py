"""The events that nemsis publishes (directive 13)."""

from __future__ import annotations

import uuid

from pydantic import Field

from app.core.events import Broadcast, EventPayload, Topic, Worklist
from app.nemsis.permissions import NEMSIS_READ

NEMSIS = Worklist("nemsis", "Every change of the agency's NEMSIS exports.")


class ExportPayload(EventPayload):
    """A change of an export."""

    incident_id: uuid.UUID = Field(description="The chart that is exported.")
    patient_id: uuid.UUID | None = Field(None, description="The patient of the exported record, where there is one.")
    status: str = Field(description="The state of the export.")


EXPORT_STATUS_CHANGED = Topic(
    "nemsis.export_status_changed",
    "A NEMSIS export moved to another state.",
    Broadcast(NEMSIS_READ, ExportPayload, NEMSIS),
)

TOPICS = (EXPORT_STATUS_CHANGED,)
