"""Reads one patient's chart, and notes each field that is read: the citations of the value that a rule derives."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from app.core.facilities.public import FacilitySnapshot
from app.core.personnel.public import LicensureLevel
from app.core.schemas import EntityRead
from app.ems.public import (
    INCIDENT_COLUMNS,
    PATIENT_COLUMNS,
    PER_PATIENT,
    TRANSPORT_DISPOSITION,
    UNIT_DISPOSITION,
    InterventionRead,
    InterventionType,
    Owner,
    PatientChart,
    Transport,
    inherits,
    owner_of,
    time_of,
    transport_of,
    unit_disposition,
)

_YES = "9923003"
_LAY = frozenset({"9905043", "9905045", "9905047", "9905049"})
"""eMedications.10 and eProcedures.10: the patient, a lay person, police, family."""


class Cited(NamedTuple):
    """A field of an entry of the chart at a version."""

    entity: str
    id: uuid.UUID
    version: int
    field: str


class Act(NamedTuple):
    """Something that this crew did. `code` is the SNOMED CT code of a procedure or the rxcui of a medication."""

    type: InterventionType
    code: str
    route: str | None
    dose: Decimal | None
    dose_unit: str | None
    at: dt.datetime | None


class Reading:
    """The chart of one patient. `others` are the charts of the other patients of the call.

    What the records that a chart names say counts where nobody charted it. The record is cited then, too.
    """

    def __init__(self, chart: PatientChart, others: Sequence[PatientChart] = ()) -> None:
        self.chart = chart
        self.charts = (chart, *others)
        self._noted: dict[Cited, None] = {}

    def take_citations(self) -> tuple[Cited, ...]:
        """The fields that were read since the last call."""
        noted, self._noted = tuple(self._noted), {}
        return noted

    def codes(self, element_id: str) -> tuple[str, ...]:
        """The values of an element: the patient's own, or the call's if it holds for this patient."""
        return tuple(entry["value"] for entry in self._entries(element_id) if entry.get("value") is not None)

    def code(self, element_id: str) -> str | None:
        return next(iter(self.codes(element_id)), None)

    def says_yes(self, element_id: str) -> bool | None:
        """The answer to a question of the chart. None: not charted."""
        answer = self.code(element_id)
        return None if answer is None else answer == _YES

    def number(self, element_id: str) -> Decimal | None:
        text = self.code(element_id)
        try:
            return None if text is None else Decimal(text)
        except InvalidOperation:
            return None

    def moment(self, element_id: str) -> dt.datetime | None:
        text = self.code(element_id)
        return None if text is None else dt.datetime.fromisoformat(text)

    def time(self, column: str) -> dt.datetime | None:
        """A time of the call for this patient, by its column."""
        self._note(self.chart.incident, column)
        if column in PATIENT_COLUMNS:
            self._note(self.chart.patient, column)
        return time_of(self.chart, column)

    def incident_field(self, column: str) -> Any:
        self._note(self.chart.incident, column)
        return getattr(self.chart.incident, column)

    def transport(self) -> Transport:
        self._note_transport(self.chart)
        return transport_of(self.chart)

    def unit_disposition(self) -> str | None:
        self._note_transport(self.chart)
        return unit_disposition(self.chart)

    def transported_together(self) -> int:
        """How many patients this unit transported on the call."""
        for chart in self.charts:
            self._note_transport(chart)
        return sum(transport_of(chart) is Transport.THIS_UNIT for chart in self.charts)

    def origin(self) -> FacilitySnapshot | None:
        self._note(self.chart.incident, "origin_facility")
        return self.chart.incident.origin_facility

    def destination(self) -> FacilitySnapshot | None:
        self._note(self.chart.patient, "destination_facility")
        self._note(self.chart.incident, "destination_facility")
        return self.chart.destination

    def crew_levels(self) -> tuple[LicensureLevel, ...]:
        for member in self.chart.crew:
            self._note(member, "licensure_level")
        return tuple(one.licensure_level for one in self.chart.crew if one.licensure_level is not None)

    def acts(self, *, before_arrival: bool = False) -> Iterator[Act]:
        """What this crew did, in order of time. What was refused or not done, and what lay people did, is left out.

        `before_arrival` asks for what others did before this unit came.
        """
        found = []
        for one in self.chart.interventions:
            section = "eMedications" if one.type is InterventionType.MEDICATION else "eProcedures"
            code_element, prior, by = f"{section}.03", f"{section}.02", f"{section}.10"
            code = one.rxcui if one.type is InterventionType.MEDICATION else one.procedure_code
            self._note(one, "rxcui" if one.type is InterventionType.MEDICATION else "procedure_code")
            for element_id in (code_element, prior, by):
                self._note(one, f"elements.{element_id}")
            if one.type is InterventionType.MEDICATION:
                for column in ("route", "dose", "dose_unit"):
                    self._note(one, column)
            not_done = any("pertinent_negative" in entry for entry in one.elements.get(code_element, ()))
            lay = _first(one, by) in _LAY
            if code is None or not_done or lay or (_first(one, prior) == _YES) is not before_arrival:
                continue
            found.append(Act(one.type, code, one.route, one.dose, one.dose_unit, one.performed_at))
        yield from sorted(found, key=lambda act: (act.at is None, act.at))

    def _entries(self, element_id: str) -> Sequence[dict[str, Any]]:
        incident, patient = self.chart.incident, self.chart.patient
        own = self._of(patient, element_id, PATIENT_COLUMNS)
        if owner_of(element_id) is not Owner.INCIDENT:
            if element_id in INCIDENT_COLUMNS.values():
                self._of(incident, element_id, INCIDENT_COLUMNS)
            return own
        if element_id in PER_PATIENT and not inherits(self.chart, element_id):
            return own
        return self._of(incident, element_id, INCIDENT_COLUMNS)

    def _of(self, entry: EntityRead, element_id: str, columns: Any) -> list[dict[str, Any]]:
        """The element's values in one entry. A patient has no field for an element that only the call has."""
        elements: dict[str, list[dict[str, Any]]] = getattr(entry, "elements", {})
        column = next((name for name, carried in columns.items() if carried == element_id), None)
        if column is not None:
            self._note(entry, column)
            value = getattr(entry, column)
            return [] if value is None else [{"value": value}]
        if element_id in elements or owner_of(element_id) is not Owner.INCIDENT or entry is self.chart.incident:
            self._note(entry, f"elements.{element_id}")
        return elements.get(element_id, [])

    def _note_transport(self, chart: PatientChart) -> None:
        self._note(chart.patient, f"elements.{TRANSPORT_DISPOSITION}", "patient")
        self._note(chart.patient, f"elements.{UNIT_DISPOSITION}", "patient")
        self._note(chart.incident, "disposition")

    def _note(self, entry: EntityRead, field: str, entity: str | None = None) -> None:
        name = entity or _ENTITIES[type(entry).__name__]
        self._noted[Cited(name, entry.id, entry.version, field)] = None


_ENTITIES = {
    "IncidentRead": "incident",
    "PatientRead": "patient",
    "InterventionRead": "intervention",
    "CrewMemberRead": "crew_member",
    "ElementGroupRead": "element_group",
}


def _first(one: InterventionRead, element_id: str) -> str | None:
    entries: list[dict[str, str | None]] = one.elements.get(element_id) or [{}]
    return entries[0].get("value")
