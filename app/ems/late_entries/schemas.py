"""Late entries as clients see them, and the decision about one."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from pydantic import Field

from app.core.schemas import EntityRead, RequestModel, Version
from app.ems.chart.schemas import ChangeReason
from app.ems.late_entries.lifecycle import LateEntryStatus, LateEntryTransition
from app.ems.parts import CHARTED_ENTRIES, closed_vocabulary

LATE = tuple(part for part in CHARTED_ENTRIES if part.names_patient)
"""The kinds that are held: what was observed and done. Who was on the call, and about whom it is, is no late news."""
LateEntity: Any = closed_vocabulary(
    "LateEntity", "What is held when it comes in late.", (part.entity_type for part in LATE)
)


class LateEntryRead(EntityRead):
    """An entry that came in while its chart waited for review. It is no part of the chart unless it is admitted."""

    incident_id: uuid.UUID
    status: LateEntryStatus
    allowed_actions: list[str] = Field(
        description="What this user may decide; to admit it, the chart must be open again: recall or return it first"
    )
    entity: LateEntity
    entity_id: uuid.UUID = Field(
        description="The id that the entry has once it is admitted: its creation's, if it had one"
    )
    charted_by: uuid.UUID
    author_id: uuid.UUID = Field(description="The chart's author")
    submitted_by: uuid.UUID | None
    body: dict[str, Any] = Field(description="The creation as it was sent")
    decided_by: uuid.UUID | None
    decided_at: dt.datetime | None
    refusal_reason: str | None


class LateEntryTransitionRequest(RequestModel):
    action: LateEntryTransition
    version: Version
    reason: ChangeReason = Field(None, description="Required to refuse; no patient details")
