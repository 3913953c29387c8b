"""A reviewer's comment as `return_for_correction` brings it."""

from __future__ import annotations

import uuid
from typing import Annotated

from pydantic import Field

from app.core.schemas import RequestModel, Text, Words, length
from app.ems.parts import ChartEntity

MAX_COMMENTS = 50


class CommentGiven(RequestModel):
    entity: ChartEntity
    entity_id: uuid.UUID
    field: Annotated[Text, length(100)] = Field(
        description="A field of that entry, or `elements.` and a NEMSIS element id", examples=["heart_rate"]
    )
    text: Annotated[Words, length(2000)]
