"""The Social Security number of a patient (ePatient.12): answers show its last four digits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SOCIAL_SECURITY_NUMBER = "ePatient.12"
_HIDDEN = "*****"


def shown_elements(elements: dict[str, Any]) -> dict[str, Any]:
    """Elements as answers show them. A number in which digits are hidden is no value that a client could save back."""
    if SOCIAL_SECURITY_NUMBER not in elements:
        return elements
    return {**elements, SOCIAL_SECURITY_NUMBER: [_shown(entry) for entry in elements[SOCIAL_SECURITY_NUMBER]]}


def find_number(elements: Mapping[str, Any]) -> str | None:
    """The number as it was charted, nine digits. None if there is none, or only a reason why it is missing."""
    return next((entry["value"] for entry in elements.get(SOCIAL_SECURITY_NUMBER, ()) if entry.get("value")), None)


def _shown(entry: dict[str, Any]) -> dict[str, Any]:
    number = entry.get("value")
    return entry if number is None else {**entry, "value": _HIDDEN + number[-4:]}
