"""Doubts about medications, procedures and vital signs: missing parts and impossible times.

`app/ems/vitals/plausibility.py` judges unusual values of vital signs. This module judges times. A wrong clock does not
explain half a day, so such a time has the wrong date.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.ems.interventions.models import MEDICATION_COLUMNS, PROCEDURE_COLUMNS, Intervention, InterventionType
from app.ems.interventions.schemas import InterventionRead
from app.ems.meanings import Meaning, is_prior, meaning_of_intervention, meaning_of_vital
from app.ems.plausibility.doubts import Doubt, DoubtCode, Doubts, Looked, doubt, named
from app.ems.vitals.models import Vital
from app.ems.vitals.plausibility import TOLERANCE

ANOTHER_DAY = dt.timedelta(hours=12)
"""A time further away from the call has a wrong date. A wrong clock does not explain it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part that an entry needs, in the column `name`. `blocking`: without it, another part would be misread."""

    name: str
    blocking: bool = False
    beside: str | None = None

    def missing(self, entry: Any, columns: Mapping[str, str]) -> bool:
        """True if the part is needed, blank and without a reason. `beside` names the part that needs it."""
        wanted = self.beside is None or getattr(entry, self.beside) is not None
        return wanted and getattr(entry, self.name) is None and columns[self.name] not in entry.elements


PARTS: Mapping[InterventionType, tuple[Part, ...]] = {
    InterventionType.MEDICATION: (
        Part("performed_at"),
        Part("dose"),
        Part("dose_unit", blocking=True, beside="dose"),
        Part("route"),
    ),
    InterventionType.PROCEDURE: (Part("performed_at"),),
}
"""The parts that the crew's own interventions need. Nobody may know them for one before arrival or by others."""
COLUMNS: Mapping[InterventionType, Mapping[str, str]] = {
    InterventionType.MEDICATION: MEDICATION_COLUMNS,
    InterventionType.PROCEDURE: PROCEDURE_COLUMNS,
}
_NAMES = {InterventionType.MEDICATION: "rxcui", InterventionType.PROCEDURE: "procedure_code"}
_BY_CREW = frozenset({Meaning.BY_CREW, Meaning.ATTEMPTED_FAILED})


def interventions(chart: Looked) -> Doubts:
    """Interventions without a name or a part, with a dose that nobody got, or at an impossible time."""
    for one in chart.patients:
        for item in one.interventions:
            yield from _parts(item)
            yield from _moment(chart, item, Intervention.entity_type, "performed_at", COLUMNS[item.type])


def vitals(chart: Looked) -> Doubts:
    """Vital signs without content, without a time, or at an impossible time."""
    for one in chart.patients:
        for vital in one.vitals:
            if meaning_of_vital(vital).meaning is Meaning.UNSAID:
                message = "These vital signs say nothing: record what was measured, or delete them."
                yield _of(vital, Vital.entity_type, "taken_at", DoubtCode.EMPTY_ENTRY, message)
            elif Part("taken_at").missing(vital, Vital.element_columns):
                message = f"{named(Vital.element_columns['taken_at'])} is missing."
                yield _of(vital, Vital.entity_type, "taken_at", DoubtCode.MISSING, message)
            yield from _moment(chart, vital, Vital.entity_type, "taken_at", Vital.element_columns, warn=False)


def _parts(item: InterventionRead) -> Doubts:
    columns, name = COLUMNS[item.type], _NAMES[item.type]
    meaning = meaning_of_intervention(item).meaning
    if meaning is Meaning.UNSAID and columns[name] not in item.elements:
        filled = any(getattr(item, column) is not None for column in columns) or item.elements
        code = DoubtCode.MISSING if filled else DoubtCode.EMPTY_ENTRY
        message = f"{named(columns[name])} is missing: say which one it was, or delete this entry."
        yield _of(item, Intervention.entity_type, name, code, message, blocking=True, rule=columns[name])
        return
    if meaning in _BY_CREW:
        for part in PARTS[item.type]:
            if part.missing(item, columns):
                message = f"{named(columns[part.name])} is missing."
                yield _of(
                    item,
                    Intervention.entity_type,
                    part.name,
                    DoubtCode.MISSING,
                    message,
                    blocking=part.blocking,
                    rule=columns[part.name],
                )
        if item.dose == 0:
            message = "The dose is zero: say how much was given, or that it was not given."
            yield _of(item, Intervention.entity_type, "dose", DoubtCode.ZERO_DOSE, message, rule=columns["dose"])
    if meaning is Meaning.NOT_DONE and item.dose is not None:
        message = "This medication was not given, and has a dose: remove one of the two."
        yield _of(
            item,
            Intervention.entity_type,
            "dose",
            DoubtCode.DOSE_OF_NOTHING,
            message,
            rule=columns["dose"],
        )


def _moment(
    chart: Looked, entry: Any, entity: str, field: str, columns: Mapping[str, str], *, warn: bool = True
) -> Doubts:
    """Doubts about the time of an entry. An entry from before this unit's care may lie before the call."""
    moment: dt.datetime | None = getattr(entry, field)
    if moment is None:
        return
    rule = columns[field]
    early = _before(chart.first, moment) if not is_prior(entry) else dt.timedelta()
    distance = max(early, _before(moment, chart.last))
    if moment > chart.at + TOLERANCE:
        message = f"{named(rule)} lies in the future: was a clock wrong?"
        yield _of(entry, entity, field, DoubtCode.IN_THE_FUTURE, message, blocking=True, rule=rule)
    elif distance > ANOTHER_DAY:
        message = f"{named(rule)} lies on another day than the call: check the date, or mark it as prior to arrival."
        yield _of(entry, entity, field, DoubtCode.WRONG_DAY, message, blocking=True, rule=rule)
    elif warn and (early > TOLERANCE or _after_end(chart, moment)):
        message = f"{named(rule)} lies before or after this call: check it, or mark it as prior to arrival."
        yield _of(entry, entity, field, DoubtCode.OUTSIDE_CALL, message, rule=rule)


def _before(later: dt.datetime | None, earlier: dt.datetime | None) -> dt.timedelta:
    """How far `earlier` lies before `later`. Zero if one of them is unknown."""
    return dt.timedelta() if later is None or earlier is None else later - earlier


def _after_end(chart: Looked, moment: dt.datetime) -> bool:
    cleared = chart.incident.cleared_time
    return cleared is not None and moment > cleared + TOLERANCE


def _of(entry: Any, entity: str, field: str, code: DoubtCode, message: str, **more: Any) -> Doubt:
    return doubt(entry, entity, field, code, message, patient_id=entry.patient_id, **more)
