"""A move of entries to another patient as clients ask for it, and what became of them."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.core.schemas import ReadModel, RequestModel, Version, length
from app.ems.chart.schemas import ChangeReason
from app.ems.parts import ENTRIES, SIGNATURE, closed_vocabulary

MOST_MOVES = 100
MOVABLE = tuple(part for part in ENTRIES if part.names_patient and part is not SIGNATURE)
"""The kinds that are moved. A signature is not: what somebody signed about one patient they never signed of another."""
MovableEntity: Any = closed_vocabulary(
    "MovableEntity", "What can be given to another patient.", (part.entity_type for part in MOVABLE)
)


class EntryToMove(RequestModel):
    entity: MovableEntity
    id: uuid.UUID
    version: Version


def _each_once(value: list[EntryToMove]) -> list[EntryToMove]:
    if len({entry.id for entry in value}) < len(value):
        raise PydanticCustomError("duplicate", "Name every entry once")
    return value


class MoveRequest(RequestModel):
    patient_id: uuid.UUID = Field(description="Whom the entries are about: a patient of the same incident")
    entries: Annotated[list[EntryToMove], length(MOST_MOVES), AfterValidator(_each_once)]
    reason: ChangeReason = None


class MovedEntryRead(ReadModel):
    entity: MovableEntity
    id: uuid.UUID
    version: int


class MoveRead(ReadModel):
    """Every entry that was named, and the groups nested in those, with their versions as they are now."""

    patient_id: uuid.UUID
    entries: list[MovedEntryRead]
