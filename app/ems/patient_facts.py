"""Facts of the call for one patient: the patient's own value, else the incident's if it can be theirs.

Documents, claims, the timeline and reports use this module. ADR 0035 gives the reasons.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

from app.ems.incidents.models import Incident
from app.ems.patients.models import Patient

UNIT_DISPOSITION, TRANSPORT_DISPOSITION, PRIMARY_IMPRESSION = "eDisposition.27", "eDisposition.30", "eSituation.11"
_LEAVING = frozenset({"eResponse.11", "eTimes.09"})
_ARRIVING = frozenset({"eResponse.21", "eTimes.10", "eTimes.11", "eTimes.12"})
_TRANSFER_OF_CARE = "eTimes.08"


class Transport(StrEnum):
    """Who transported a patient, by eDisposition.30 and, where nobody met the patient, by eDisposition.27."""

    THIS_UNIT = "this_unit"
    ANOTHER_UNIT = "another_unit"
    NONE = "none"
    UNSAID = "unsaid"


_TRANSPORTS: Mapping[str, Transport] = {
    "4230001": Transport.THIS_UNIT,
    "4230003": Transport.THIS_UNIT,
    "4230005": Transport.ANOTHER_UNIT,
    "4230007": Transport.ANOTHER_UNIT,
    "4230009": Transport.NONE,
    "4230013": Transport.NONE,
}
_WITHOUT_PATIENT = frozenset({"4227003", "4227005", "4227007", "4227009", "4227011"})
NEVER = _ARRIVING | {_TRANSFER_OF_CARE}
"""The elements that have no value for a patient who was not transported."""
_NOT_SHARED: Mapping[Transport, frozenset[str]] = {
    Transport.NONE: NEVER | _LEAVING,
    Transport.ANOTHER_UNIT: _ARRIVING | _LEAVING,
    Transport.UNSAID: _ARRIVING,
}
"""The incident's elements that are about other patients, by how this patient left the scene."""
_NOT_OF_ONE: Mapping[Transport, frozenset[str]] = {Transport.NONE: _ARRIVING}
"""The same for a call with one patient. The time at which the unit left the scene then stays."""


class OfPatient(Protocol):
    """A patient, as entity or answer."""

    @property
    def elements(self) -> dict[str, Any]: ...

    @property
    def depart_scene_time(self) -> dt.datetime | None: ...

    @property
    def arrived_destination_time(self) -> dt.datetime | None: ...


class OfCall(OfPatient, Protocol):
    """An incident, as entity or answer."""

    @property
    def disposition(self) -> str | None: ...


class OnePatient(Protocol):
    """A patient's chart. `alone`: the call has no other patient."""

    @property
    def incident(self) -> OfCall: ...

    @property
    def patient(self) -> OfPatient: ...

    @property
    def alone(self) -> bool: ...


def unit_disposition(one: OnePatient) -> str | None:
    """The code of eDisposition.27: the patient's own, else the incident's. None: not charted, or charted as missing."""
    if UNIT_DISPOSITION in one.patient.elements:
        return code_of(one.patient, UNIT_DISPOSITION)
    return one.incident.disposition


def transport_of(one: OnePatient) -> Transport:
    """Who transported the patient. UNSAID if no code tells it."""
    if unit_disposition(one) in _WITHOUT_PATIENT:
        return Transport.NONE
    return _TRANSPORTS.get(code_of(one.patient, TRANSPORT_DISPOSITION) or "", Transport.UNSAID)


def says_itself(patient: OfPatient, element_id: str) -> bool:
    """True if the patient's own row has the element: a value, or a reason why there is none."""
    columns = [name for name, carried in Patient.element_columns.items() if carried == element_id]
    return element_id in patient.elements or any(getattr(patient, name) is not None for name in columns)


def foreign_elements(one: OnePatient) -> frozenset[str]:
    """The elements whose value at the incident does not hold for this patient."""
    return (_NOT_OF_ONE if one.alone else _NOT_SHARED).get(transport_of(one), frozenset())


def inherits(one: OnePatient, element_id: str) -> bool:
    """True if the incident's value of the element holds for this patient."""
    return not says_itself(one.patient, element_id) and element_id not in foreign_elements(one)


def time_of(one: OnePatient, column: str) -> dt.datetime | None:
    """A time of the call (a column of eTimes) for this patient. None: not charted, or not theirs."""
    moment: dt.datetime | None
    element_id = Incident.element_columns[column]
    if says_itself(one.patient, element_id):
        moment = getattr(one.patient, column, None)
    else:
        moment = getattr(one.incident, column) if inherits(one, element_id) else None
    return moment


def code_of(patient: OfPatient, element_id: str) -> str | None:
    """The first value of the patient's own element. None: not charted, or charted as missing."""
    entries = patient.elements.get(element_id) or [{}]
    text: str | None = entries[0].get("value")
    return text
