"""A doubt about a chart, and the chart as the rules look at it."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from app.core.schemas import EntityRead
from app.ems.elements import TARGET_BUILD, load_dictionary
from app.ems.incidents.models import Incident
from app.ems.incidents.schemas import IncidentRead
from app.ems.parts import PART_OF
from app.ems.patient_charts import PatientChart

TIMES: Mapping[str, str] = {
    column: element_id for column, element_id in Incident.element_columns.items() if element_id.startswith("eTimes.")
}
"""The incident's columns of time, with their elements."""


class DoubtCode(StrEnum):
    MISSING = "missing"
    EMPTY_ENTRY = "empty_entry"
    IN_THE_FUTURE = "in_the_future"
    WRONG_DAY = "wrong_day"
    OUTSIDE_CALL = "outside_call"
    DOSE_OF_NOTHING = "dose_of_nothing"
    ZERO_DOSE = "zero_dose"
    NOT_TRANSPORTED = "not_transported"
    TRANSPORT_UNSAID = "transport_unsaid"
    IMPRESSION_UNASSIGNED = "impression_unassigned"
    TIME_ORDER = "time_order"
    AGE_CONTRADICTS = "age_contradicts"
    AGE_IMPOSSIBLE = "age_impossible"
    BORN_AFTER_CALL = "born_after_call"
    NO_DRIVER = "no_driver"
    CONTRADICTS_DISPOSITION = "contradicts_disposition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One field of one row that is missing or wrong. It holds no value of the chart.

    `field` is named as in the request: a column, or `elements.<id>`. `blocking`: the chart cannot be completed before
    the field is mended, because a wrong fact would be sent out.
    """

    entity: str
    entity_id: uuid.UUID
    patient_id: uuid.UUID | None
    field: str
    code: DoubtCode
    message: str
    rule: str | None = None
    blocking: bool = False

    @property
    def path(self) -> str:
        """The field relative to the incident's address: `interventions/<id>.dose_unit`, `incident.cleared_time`."""
        part = PART_OF[self.entity]
        holder = self.entity if part.path is None else f"{part.path}/{self.entity_id}"
        return f"{holder}.{self.field}"


@dataclass(frozen=True)
class Looked:
    """A chart as the rules look at it, with the instant and the time zone."""

    incident: IncidentRead
    patients: Sequence[PatientChart]
    at: dt.datetime
    zone: zoneinfo.ZoneInfo

    @cached_property
    def first(self) -> dt.datetime | None:
        """The earliest known time of the unit's response."""
        return min(self._known, default=None)

    @cached_property
    def last(self) -> dt.datetime | None:
        """The latest known time of the call, the patients' own times included."""
        own = [moment for one in self.patients for moment in own_times(one.patient).values()]
        return max([*self._known, *own], default=None)

    @cached_property
    def _known(self) -> list[dt.datetime]:
        return [*own_times(self.incident).values()]


def own_times(entry: Any) -> dict[str, dt.datetime]:
    """The times of an incident or a patient, as {field: time}, from columns and elements of eTimes."""
    columns = {name: getattr(entry, name, None) for name in TIMES}
    found = {name: moment for name, moment in columns.items() if moment is not None}
    for element_id, entries in entry.elements.items():
        value = entries[0].get("value") if element_id.startswith("eTimes.") and entries else None
        if value is not None:
            found[f"elements.{element_id}"] = dt.datetime.fromisoformat(value)
    return found


def doubt(
    entry: EntityRead,
    entity: str,
    field: str,
    code: DoubtCode,
    message: str,
    *,
    patient_id: uuid.UUID | None = None,
    blocking: bool = False,
    rule: str | None = None,
) -> Doubt:
    """A doubt about one row, as an answer shows it."""
    return Doubt(
        entity=entity,
        entity_id=entry.id,
        patient_id=patient_id,
        field=field,
        code=code,
        message=message,
        rule=rule or (field.removeprefix("elements.") if field.startswith("elements.") else None),
        blocking=blocking,
    )


def named(element_id: str) -> str:
    return load_dictionary(TARGET_BUILD).elements[element_id].name


Doubts = Iterator[Doubt]
