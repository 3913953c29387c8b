"""The values of a derivation as columns of the claim, in JSON, and what a person changed since."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

from app.billing.claims.models import Claim, ClaimLine, LevelOfService

PAYER_COLUMNS = (
    "payer_record_id",
    "coverage_id",
    "payer_name",
    "payer_id",
    "claim_filing_code",
    "insurance_type",
    "member_id",
    "group_number",
    "subscriber",
)
_SAME_NAME = (
    "level_of_service",
    "transport_reason",
    "weight_lb",
    "round_trip_purpose",
    "stretcher_purpose",
    "prior_authorization",
    "accident",
    "place_of_service",
    "signature_on_file",
    "patient_count",
    "certifications",
)
NAMES: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in _SAME_NAME},
    "diagnoses": ("diagnoses",),
    "loaded_miles": ("loaded_miles",),
    "noncovered_miles": ("loaded_miles",),
    "payer": PAYER_COLUMNS,
}
"""The columns that carry each value. The others stand in the service lines."""
OF_LINES = frozenset({
    "hcpcs", "mileage_hcpcs", "loaded_miles", "noncovered_miles", "origin_modifier", "destination_modifier",
    "other_modifiers", "charges", "emergency", "level_of_service",
})  # fmt: skip
"""The values from which service lines are made, directly or through another value."""
_UNSAID: Mapping[str, Any] = {"patient_count": 1, "certifications": {"yes": [], "no": []}, "diagnoses": []}
"""The columns that are never null, as they stand before anybody has said something."""
_ENTITY_VALUES: Mapping[str, Callable[[Any], Any]] = {
    "level_of_service": LevelOfService,
    "weight_lb": Decimal,
    "loaded_miles": Decimal,
    "payer_record_id": uuid.UUID,
    "coverage_id": uuid.UUID,
}


def columns_of(effective: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that the values make, in JSON. CR106 is the whole distance, the miles that are not covered too."""
    columns = {name: effective[name] for name in _SAME_NAME}
    columns["patient_count"] = effective["patient_count"] or _UNSAID["patient_count"]
    columns["certifications"] = effective["certifications"] or _UNSAID["certifications"]
    columns["diagnoses"] = effective["diagnoses"] or []
    miles, beyond = effective["loaded_miles"], effective["noncovered_miles"]
    columns["loaded_miles"] = None if miles is None else shown(Decimal(miles) + Decimal(beyond or 0))
    return {**columns, **dict.fromkeys(PAYER_COLUMNS), **(effective["payer"] or {})}


def entity_value(column: str, value: Any) -> Any:
    """The JSON of a column as the claim's attribute."""
    make = _ENTITY_VALUES.get(column)
    return value if value is None or make is None else make(value)


def shown(value: Any) -> Any:
    """A column's value in JSON; numbers without the zeros that the database adds."""
    match value:
        case Decimal():
            return f"{value.normalize():f}"
        case Enum():
            return value.value
        case uuid.UUID() | dt.date():
            return str(value)
        case _:
            return value


def entered(claim: Claim, applied: Mapping[str, Any] | None) -> set[str]:
    """The columns that a person changed since the derivation that wrote `applied`.

    Of a claim without a derivation, these are all columns that say something.
    """
    columns = {column for names in NAMES.values() for column in names}
    before = {column: _UNSAID.get(column) for column in columns} if applied is None else applied
    return {column for column in columns if not _same(column, shown(getattr(claim, column)), before.get(column))}


def lines_as_json(lines: Sequence[ClaimLine]) -> list[dict[str, Any]]:
    """Service lines in the form in which a derivation makes them. A charge by a fee schedule was typed by nobody."""
    return [
        {
            "hcpcs": line.hcpcs,
            "modifiers": line.modifiers,
            "units": shown(line.units),
            "charge": None if line.fee_item_id is not None else shown(line.charge),
            "diagnosis_pointers": line.diagnosis_pointers,
        }
        for line in lines
    ]


def same_lines(one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]) -> bool:
    """True if the lines say the same. Numbers are compared as numbers; a charge that is None agrees with any."""
    return len(one) == len(other) and all(map(_agrees, one, other))


def _agrees(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    plain = ("hcpcs", "modifiers", "diagnosis_pointers")
    charges = [Decimal(line["charge"]) for line in (one, other) if line["charge"] is not None]
    return (
        all(one[name] == other[name] for name in plain)
        and Decimal(one["units"]) == Decimal(other["units"])
        and len(set(charges)) <= 1
    )


def _same(column: str, value: Any, other: Any) -> bool:
    if column in ("weight_lb", "loaded_miles") and value is not None and other is not None:
        return Decimal(value) == Decimal(other)
    return bool(value == other)
