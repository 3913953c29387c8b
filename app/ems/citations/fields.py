"""Fields of an entry as citations name them, and their values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from app.core.db.columns import Sensitivity
from app.ems.chart.columns import ChartEntry
from app.ems.content.snapshots import shown_values
from app.ems.elements import PhiClass, phi_class
from app.ems.parts import PART_OF, has_element
from app.ems.patients.identifiers import shown_elements

_FIELD = re.compile(
    r"(?:elements\.(?P<element>[A-Za-z]{1,40}\.[0-9]{1,3})|(?P<column>[a-z][a-z0-9_]{0,62}))(?:\[(?P<at>[0-9]{1,4})\])?"
)


class FieldValue(NamedTuple):
    """A field's value in JSON as answers show it, its declared class, and its NEMSIS element, if it has one."""

    value: Any
    sensitivity: Sensitivity
    element_id: str | None


def find_value(entry: ChartEntry, field: str) -> FieldValue | None:
    """The value of `field` in `entry`; None for a field that such an entry does not have.

    `systolic_bp` is a column. `elements.eVitals.03` is a NEMSIS element: a list of
    `{value?, not_value?, pertinent_negative?, attributes?, correlation_id?}`. An element that a column carries is such
    a list, too, with the column's own value as `value`. `[0]` behind either is one item of a list, counted from 0. The
    entry does not have an item that lies behind the list's end. A value of None says that nothing was recorded.
    """
    named = _FIELD.fullmatch(field)
    if named is None:
        return None
    found = _of_element(entry, named["element"]) if named["element"] else _of_column(entry, named["column"])
    if found is None or named["at"] is None:
        return found
    at = int(named["at"])
    if not isinstance(found.value, list) or at >= len(found.value):
        return None
    return found._replace(value=found.value[at])


def _of_column(entry: ChartEntry, name: str) -> FieldValue | None:
    part = PART_OF[entry.entity_type]
    if name not in part.shown:
        return None
    value = shown_values(entry, (name,))[name]
    return FieldValue(value, part.sensitivity(name), entry.carried_elements().get(name))


def _of_element(entry: ChartEntry, element_id: str) -> FieldValue | None:
    elements = getattr(entry, "elements", None)  # uploads have none
    if elements is None or not (element_id in elements or has_element(entry, element_id)):
        return None
    given: list[Any] = shown_elements(elements).get(element_id, [])
    part = PART_OF[entry.entity_type]
    columns = [name for name, carried in entry.carried_elements().items() if carried == element_id]
    entries = _beside(shown_values(entry, columns), given)
    protected = (
        phi_class(element_id) is PhiClass.PHI
        or any(part.sensitivity(name) is not Sensitivity.PLAIN for name in columns)
        or any("correlation_id" in item for item in entries)  # the client's own text, whatever the element
    )
    return FieldValue(entries or None, Sensitivity.PHI if protected else Sensitivity.PLAIN, element_id)


def _beside(columns: Mapping[str, Any], given: list[Any]) -> list[Any]:
    """The values of an element: those of its columns, each with what was given beside it, then the others.

    Two columns of one element (eScene.11, a latitude and a longitude) are one text with a comma, as NEMSIS writes it.
    """
    recorded = [value for value in columns.values() if value is not None]
    if len(recorded) > 1:
        recorded = [",".join(str(value) for value in recorded)]
    values = recorded[0] if recorded and isinstance(recorded[0], list) else recorded
    merged = [{"value": value, **(given[at] if at < len(given) else {})} for at, value in enumerate(values)]
    return [*merged, *given[len(merged) :]]
