"""Words for what a chart holds: labels of fields, and values as people read them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from app.core.geography import COUNTRIES
from app.ems.elements import TARGET_BUILD, ElementDefinition, load_dictionary

_COLUMNS: Mapping[str, str] = {
    "home_city": "ePatient.06",
    "location_city": "eScene.17",
    "destination_city": "eDisposition.04",
    "disposition": "eDisposition.27",
    "primary_impression": "eSituation.11",
    "narrative_text": "eNarrative.01",
}
"""The elements of columns that hold a name instead of the element's code, or that count only for a sole patient."""
_NO_CODES = frozenset({"ePatient.06", "eScene.17", "eDisposition.04"})
_COUNTRIES = frozenset({"ePatient.10", "eScene.22", "eDisposition.08"})
_LABELS = {
    "etco2_unit": "ETCO2 unit",
    "structured_json": "Sections",
    "location_latitude": "Scene GPS Location, Latitude",
    "location_longitude": "Scene GPS Location, Longitude",
}
"""Labels of fields that are no element of their own."""


class Wording:
    """Words of one report: its time zone, and the names of the codes that its chart holds."""

    def __init__(self, zone: ZoneInfo, names: Mapping[str, str]) -> None:
        self._zone = zone
        self._names = names
        dictionary = load_dictionary(TARGET_BUILD)
        self._elements, self._negatives = dictionary.elements, dictionary.pertinent_negatives

    def element_of(self, column: str, carried: Mapping[str, str]) -> str | None:
        return carried.get(column) or _COLUMNS.get(column)

    def order_of(self, element_id: str | None) -> int:
        definition = self._elements.get(element_id or "")
        return len(self._elements) if definition is None else definition.order

    def label(self, field: str, carried: Mapping[str, str]) -> str:
        """The label of a field: the NEMSIS name of its element, else the field's own name."""
        if field in _LABELS:
            return _LABELS[field]
        element_id = field.removeprefix("elements.")
        definition = self._elements.get(element_id) or self._elements.get(self.element_of(field, carried) or "")
        if definition is not None:
            return definition.name
        return field.replace("_", " ").capitalize()

    def column(self, element_id: str | None, value: Any) -> str:
        """The value of a column as text."""
        if element_id in _COUNTRIES and value in COUNTRIES:
            return f"{COUNTRIES[value]} ({value})"
        definition = None if element_id in _NO_CODES else self._elements.get(element_id or "")
        if isinstance(value, Mapping):
            return "\n".join(
                f"{name.replace('_', ' ').capitalize()}: {self.column(None, value[name])}" for name in value
            )
        if isinstance(value, list | tuple):
            return "; ".join(self.column(element_id, item) for item in value)
        return self._text(definition, value)

    def entries(self, element_id: str, entries: Iterable[Mapping[str, Any]], value: Any = None) -> str:
        """The entries of an element as text. `value` is the value of its column. It belongs to the first entry."""
        shown = [self._entry(element_id, entry, value if at == 0 else None) for at, entry in enumerate(entries)]
        return "; ".join(text for text in shown if text)

    def reason(self, element_id: str, entry: Mapping[str, Any]) -> str:
        """The reason why a value is missing, or the meaning of its absence."""
        definition = self._elements[element_id]
        not_value, negative = entry.get("not_value"), entry.get("pertinent_negative")
        words = [] if not_value is None else [definition.not_values.get(not_value, not_value)]
        return "; ".join([*words, *([] if negative is None else [self._negatives.get(negative, negative)])])

    def time(self, moment: dt.datetime | None) -> str:
        """An instant in the agency's zone, to the second; "" for none."""
        return "" if moment is None else moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S %Z")

    def _entry(self, element_id: str, entry: Mapping[str, Any], value: Any) -> str:
        definition = self._elements[element_id]
        given = entry.get("value", value)
        words = [] if given is None else [self._text(definition, given)]
        for name, code in (entry.get("attributes") or {}).items():
            attribute = definition.attributes.get(name)
            named = None if attribute is None else attribute.type.codes.get(code)
            words += [] if named is None or name == "CodeType" else [f"({named})"]
        reason = self.reason(element_id, entry)
        return " ".join([*words, *([f"[{reason}]"] if reason else [])])

    def _text(self, definition: ElementDefinition | None, value: Any) -> str:
        if isinstance(value, dt.datetime):
            return self.time(value)
        if isinstance(value, dt.date):
            return value.isoformat()
        if isinstance(value, bool):
            return "Yes" if value else "No"
        if isinstance(value, Decimal):
            return plain_number(value)
        text = str(value.value if isinstance(value, Enum) else value)
        if definition is None:
            return text
        if definition.type.base == "dateTime" and "T" in text:
            return self.time(dt.datetime.fromisoformat(text))
        if definition.type.base == "decimal":
            return plain_number(Decimal(text))
        label = _label_of(definition, text)
        if label is not None:
            return label
        if isinstance(value, Enum):
            return text.replace("_", " ").capitalize()
        return f"{self._names[text]} ({text})" if text in self._names else text


def plain_number(value: Decimal) -> str:
    """The number without trailing zeros. Those of a dose are on the Joint Commission's do-not-use list."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _label_of(definition: ElementDefinition, code: str) -> str | None:
    for kind in (definition.type, *definition.type.members):
        if code in kind.codes:
            return kind.codes[code]
    return None
