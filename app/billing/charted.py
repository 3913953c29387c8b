"""What a chart says in its elements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any


def said(elements: Mapping[str, Any], element_id: str) -> str | None:
    """The first value of an element; None if it was not charted, or if only a reason stands there."""
    return next((entry["value"] for entry in elements.get(element_id, ()) if entry.get("value")), None)


def date_said(elements: Mapping[str, Any], element_id: str) -> dt.date | None:
    """The same of an element that holds a date. Its time zone, which an XML date may have, does not count."""
    value = said(elements, element_id)
    return None if value is None else dt.date.fromisoformat(value[:10])
