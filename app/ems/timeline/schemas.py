"""The timeline as clients read it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from pydantic import Field

from app.core.schemas import ReadModel
from app.ems.meanings import Meaning
from app.ems.parts import PARTS, closed_vocabulary

TimelineKind: Any = closed_vocabulary(
    "TimelineKind",
    "In the order that items of the same instant are shown.",
    ("time", *(part.entity_type for part in PARTS if part.timeline is not None), "transition"),
)


class TimelineItem(ReadModel):
    at: dt.datetime | None = Field(description="A narrative's is when it was written; null: not charted")
    kind: TimelineKind
    entity: str = Field(examples=["vital"])
    entity_id: uuid.UUID
    patient_id: uuid.UUID | None
    meaning: Meaning | None = Field(
        None, description="Of vital signs and interventions: who did it, or that it was not done"
    )
    reason: str | None = Field(None, description="Why it was not done, in words", examples=["contraindication noted"])
    summary: dict[str, Any] = Field(
        description="The recorded values, those of `elements` in words; of a time its field, of a narrative its"
        " beginning, of a transition who, why",
        examples=[{"heart_rate": 80, "spo2": 97}],
    )


class Timeline(ReadModel):
    """The items of a chart, oldest first. An item without a time stands at the end."""

    items: list[TimelineItem]
