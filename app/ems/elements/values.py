"""How a chart stores elements: JSON keyed by element id, always a list, values as text in the NEMSIS lexical form."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter

from app.core.text import normalised
from app.ems.elements.loading import TARGET_BUILD, load_dictionary


class ElementValue(BaseModel):
    """One occurrence of an element: a value, a NOT value, or a pertinent negative with or without a value.

    `attributes` are the XML attributes other than NV, PN and CorrelationID, such as CodeType.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    value: str | None = None
    not_value: str | None = None
    pertinent_negative: str | None = None
    attributes: dict[str, str] | None = None
    correlation_id: str | None = None


ElementValues = dict[str, list[ElementValue]]
ElementPatch = dict[str, list[ElementValue] | None]


_TEXTS = ("value", "not_value", "pertinent_negative", "correlation_id")


def _normalised(entry: ElementValue) -> ElementValue:
    """The entry with normalised texts. A value of blanks becomes None."""
    changed: dict[str, Any] = {}
    for name in _TEXTS:
        given = getattr(entry, name)
        if given is not None and (text := normalised(given)) != given:
            changed[name] = text
    if changed.get("value", entry.value) == "":
        changed["value"] = None
    if entry.attributes:
        changed["attributes"] = {name: normalised(text) for name, text in entry.attributes.items()}
    return entry.model_copy(update=changed) if changed else entry


_MEASURED = re.compile(r"[+-]?[0-9]{1,3}\.[0-9]{7,}")
_LONGEST_POSITION = 100


@cache
def _positions() -> frozenset[str]:
    """The elements whose value is a position (GPSLocation). A receiver gives more digits than NEMSIS takes."""
    elements = load_dictionary(TARGET_BUILD).elements
    return frozenset(element_id for element_id, each in elements.items() if each.type.name == "GPSLocation")


def _to_six_places(entry: ElementValue) -> ElementValue:
    if entry.value is None or len(entry.value) > _LONGEST_POSITION:
        return entry
    rounded = _MEASURED.sub(lambda number: f"{Decimal(number[0]):.6f}", entry.value)
    return entry if rounded == entry.value else entry.model_copy(update={"value": rounded})


def _all_normalised(values: Any) -> Any:
    given = {
        element_id: None if entries is None else [_normalised(entry) for entry in entries]
        for element_id, entries in values.items()
    }
    for element_id in given.keys() & _positions():
        if (entries := given[element_id]) is not None:
            given[element_id] = [_to_six_places(entry) for entry in entries]
    return given


GivenElements = Annotated[ElementValues, AfterValidator(_all_normalised)]
"""ElementValues as a client gives them, texts normalised."""
GivenElementPatch = Annotated[ElementPatch, AfterValidator(_all_normalised)]

_ADAPTER: TypeAdapter[ElementValues] = TypeAdapter(ElementValues, config=ConfigDict(hide_input_in_errors=True))


def merge(
    current: Mapping[str, Sequence[ElementValue]], patch: Mapping[str, Sequence[ElementValue] | None]
) -> ElementValues:
    """`current` after a PATCH: each id of `patch` replaces the stored list, null removes it, other ids stay."""
    merged = {element_id: list(entries) for element_id, entries in current.items() if element_id not in patch}
    return merged | {element_id: list(entries) for element_id, entries in patch.items() if entries is not None}


def to_json(values: Mapping[str, Sequence[ElementValue]]) -> dict[str, list[dict[str, Any]]]:
    """The stored form: only what was given, no nulls."""
    return {
        element_id: [entry.model_dump(exclude_none=True) for entry in entries] for element_id, entries in values.items()
    }


def from_json(stored: Mapping[str, Any]) -> ElementValues:
    """Reads what `to_json` wrote. Raises pydantic.ValidationError for anything else."""
    return _ADAPTER.validate_python(stored)
