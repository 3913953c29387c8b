"""Derivations and overrides as clients read and make them."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from app.billing.claims.schemas import (
    Accident,
    Certifications,
    Diagnoses,
    Hcpcs,
    Level,
    Miles,
    PatientCount,
    PlaceOfService,
    Pounds,
    PriorAuthorization,
    RoundTripPurpose,
    SignatureOnFile,
    StretcherPurpose,
    TransportReason,
)
from app.billing.derivation.rules import OVERRIDABLE, RULES
from app.billing.x12.ambulance import DESTINATION_LETTERS, ORIGIN_LETTERS
from app.core.errors import Problem, ValidationFailed
from app.core.schemas import ReadModel, RequestModel, Text, Version, Words, length

_MOST_MODIFIERS = 3


def _names(name: str, about: str, words: tuple[str, ...]) -> Any:
    made: Any = StrEnum
    vocabulary = made(name, {word.upper(): word for word in words})
    vocabulary.__doc__ = about
    return vocabulary


ValueName: Any = _names("ValueName", "The values that are derived.", tuple(rule.name for rule in RULES))
OverridableName: Any = _names("OverridableName", "The derived values that a biller may override.", OVERRIDABLE)
Modifier = Annotated[Text, Field(pattern="^[0-9A-Z]{2}$")]
_TYPES: dict[str, Any] = {
    "emergency": Annotated[bool, Field(strict=True)],
    "level_of_service": Level,
    "hcpcs": Hcpcs,
    "patient_count": PatientCount,
    "transport_reason": TransportReason,
    "other_modifiers": Annotated[list[Modifier], Field(max_length=_MOST_MODIFIERS)],
    "origin_modifier": Literal[*sorted(ORIGIN_LETTERS)],
    "destination_modifier": Literal[*sorted(DESTINATION_LETTERS)],
    "mileage_hcpcs": Hcpcs,
    "loaded_miles": Miles,
    "noncovered_miles": Miles,
    "weight_lb": Pounds,
    "certifications": Certifications,
    "round_trip_purpose": RoundTripPurpose,
    "stretcher_purpose": StretcherPurpose,
    "prior_authorization": PriorAuthorization,
    "diagnoses": Diagnoses,
    "accident": Accident,
    "place_of_service": PlaceOfService,
    "signature_on_file": SignatureOnFile,
}
_ADAPTERS = {name: TypeAdapter(kind) for name, kind in _TYPES.items()}


def checked_value(name: str, value: Any) -> Any:
    """The value of an override in JSON. Raises ValidationFailed: it is no such value."""
    adapter = _ADAPTERS[name]
    try:
        return adapter.dump_python(adapter.validate_python(value), mode="json")
    except ValidationError as error:
        problems = [
            Problem(".".join(("value", *map(str, one["loc"]))), one["type"], one["msg"])
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise ValidationFailed(problems=problems) from None


class DeriveRequest(RequestModel):
    version: Version


class OverrideRequest(RequestModel):
    """Another value in the place of a derived one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"version": 1, "name": "loaded_miles", "value": "12.4", "reason": "The odometer was read too late"}
            ]
        }
    )

    version: Version
    name: OverridableName
    value: Any = Field(description="As the claim's own field takes it; never null")
    reason: Annotated[Words, length(500)] = Field(description="Why the derived value does not stand")


class CitationRead(ReadModel):
    """The field of the chart from which a value comes, as it stood at a version."""

    entity: str
    id: uuid.UUID
    version: int
    field: str = Field(description="A column, or `elements.` and a NEMSIS element id")


class ReasonRead(ReadModel):
    code: str
    text: str


class OverrideRead(ReadModel):
    value: Any = Field(description="Null for roles without claim.clinical")
    reason: str | None = Field(description="Null for roles without claim.clinical")
    by_user_id: uuid.UUID | None
    at: dt.datetime


class EvidenceChangeRead(ReadModel):
    """A cited field that says something else now. `old` and `new` are null for roles without claim.clinical."""

    entity: str
    id: uuid.UUID
    field: str
    old: Any
    new: Any


class ValueStatus(StrEnum):
    """Where a value of the claim comes from. ENTERED: a person changed what was derived."""

    DERIVED = "derived"
    UNDERIVABLE = "underivable"
    OVERRIDDEN = "overridden"
    ENTERED = "entered"


class DerivedValueRead(ReadModel):
    name: ValueName
    value: Any = Field(description="The claim's value; null if nothing tells it, and for roles without claim.clinical")
    derived: Any = Field(description="What the rules make of the chart; null for roles without claim.clinical")
    status: ValueStatus
    reasons: list[ReasonRead]
    rule: str = Field(description="The source of the rule")
    citations: list[CitationRead]
    override: OverrideRead | None


class DerivationRead(ReadModel):
    claim_id: uuid.UUID
    claim_version: int
    derived_at: dt.datetime | None = Field(description="Null for a claim that was entered by hand")
    stale: bool = Field(description="True if the chart says something else than what is cited")
    changed: list[EvidenceChangeRead]
    values: list[DerivedValueRead]
