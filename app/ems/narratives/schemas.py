"""Narratives as clients create, change and read them."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.core.schemas import RequestModel, Text
from app.ems.chart.schemas import ChartPatch, ChartRead, ChildCreate, Coded
from app.ems.elements import has_illegal_character

MAX_STRUCTURE = 200
_LARGEST = 2**53 - 1  # beyond, a JSON number is not the same number everywhere (RFC 8259, 6)


def _shallow(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse a structured narrative whose sections are not text, numbers, booleans, or lists of those."""
    for name, item in value.items():
        parts = [name, *item] if isinstance(item, list) else [name, item]
        if any(isinstance(part, dict | list) for part in parts):
            raise PydanticCustomError("too_deep", "Sections hold text, numbers, booleans, or lists of those")
        if any(isinstance(part, str) and has_illegal_character(part) for part in parts):
            raise PydanticCustomError("illegal_character", "A section holds a character that is not text")
        if any(isinstance(part, int | float) and not abs(part) <= _LARGEST for part in parts):
            raise PydanticCustomError("number_range", "A number is too large, or none at all")
    return value


Structure = Annotated[dict[str, Any], Field(max_length=MAX_STRUCTURE), AfterValidator(_shallow)]


class _NarrativeFields(RequestModel):
    narrative_text: Annotated[Text, Coded("eNarrative.01")] | None = None
    structured_json: Structure | None = Field(
        None,
        description="Sections of the narrative",
        examples=[{"chief_complaint": "neck pain", "allergies": ["none"]}],
    )


class NarrativeCreate(_NarrativeFields, ChildCreate):
    patient_id: uuid.UUID | None = Field(
        None, description="Whose story it is; left out only on a call without a patient"
    )


class NarrativePatch(_NarrativeFields, ChartPatch):
    pass


class NarrativeRead(ChartRead):
    incident_id: uuid.UUID
    patient_id: uuid.UUID | None = Field(description="Null: the story of a call without a patient")
    narrative_text: str | None
    structured_json: dict[str, Any] | None
    ai_suggestions_json: dict[str, Any] | None = Field(description="Written by the narrative analysis")
    ai_score: Decimal | None = Field(description="Written by the narrative analysis, 0 to 1")
