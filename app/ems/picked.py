"""What the records that a chart names say for it. The chart's own words come first (ADR 0037)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from app.core.facilities.public import FacilitySnapshot, FacilityType
from app.core.geography import UNITED_STATES
from app.ems.incidents.models import Incident
from app.ems.incidents.schemas import IncidentRead
from app.ems.patient_facts import foreign_elements
from app.ems.patients.models import Patient
from app.ems.patients.schemas import PatientRead

_ADDRESS = ("street", "unit", "city", "state", "zip", "county", "country")
_US_ZIP = re.compile(r"[0-9]{5}(-|$)")
_ARRIVAL = "eTimes.11"
_DESTINATION = frozenset(f"eDisposition.0{number}" for number in range(1, 10))
DESTINATION_TYPES: Mapping[FacilityType, str] = {
    FacilityType.ASSISTED_LIVING_FACILITY: "4221029",
    FacilityType.CLINIC: "4221007",
    FacilityType.NURSING_HOME: "4221033",
    FacilityType.OTHER: "4221013",
    FacilityType.URGENT_CARE: "4221021",
    FacilityType.PHYSICAL_REHABILITATION_FACILITY: "4221037",
    FacilityType.MENTAL_HEALTH_FACILITY: "4221031",
    FacilityType.DIALYSIS_CENTER: "4221025",
    FacilityType.DIAGNOSTIC_SERVICES: "4221027",
    FacilityType.FREESTANDING_EMERGENCY_DEPARTMENT: "4221023",
    FacilityType.MORGUE: "4221009",
    FacilityType.POLICE_OR_JAIL: "4221019",
    FacilityType.OTHER_EMS_RESPONDER_AIR: "4221015",
    FacilityType.OTHER_EMS_RESPONDER_GROUND: "4221017",
    FacilityType.OTHER_RECURRING_CARE_CENTER: "4221035",
    FacilityType.DRUG_OR_ALCOHOL_REHABILITATION_FACILITY: "4221039",
    FacilityType.SKILLED_NURSING_FACILITY: "4221041",
}
"""eDisposition.21 of a facility. A hospital has none: only the crew knows whether it was the emergency department."""

LOCATION_TYPES: Mapping[FacilityType, str] = {
    FacilityType.ASSISTED_LIVING_FACILITY: "Y92.1",
    FacilityType.CLINIC: "Y92.538",
    FacilityType.DIAGNOSTIC_SERVICES: "Y92.538",
    FacilityType.DIALYSIS_CENTER: "Y92.538",
    FacilityType.HOSPITAL: "Y92.23",
    FacilityType.NURSING_HOME: "Y92.12",
    FacilityType.SKILLED_NURSING_FACILITY: "Y92.12",
    FacilityType.URGENT_CARE: "Y92.532",
}
"""eScene.09 of a facility, by NEMSIS's suggested list. Other types say too little: a police station is no prison."""


class _One(NamedTuple):
    incident: IncidentRead
    patient: PatientRead
    alone: bool


def with_picks(incident: IncidentRead) -> IncidentRead:
    """The incident with what its vehicle says of the unit, and its origin facility of the scene.

    A unit without a call sign is called by its number, as NEMSIS words eResponse.14.
    """
    vehicle, origin = incident.vehicle, incident.origin_facility
    if vehicle is None and origin is None:
        return incident
    columns: dict[str, Any] = {}
    said: dict[str, Any] = {}
    if vehicle is not None:
        said["eResponse.07"] = vehicle.capability
        said["eResponse.13"] = vehicle.unit_number
        said["eResponse.14"] = vehicle.call_sign or vehicle.unit_number
    if origin is not None:
        said["eScene.10"], said["eScene.13"] = origin.location_code, origin.name
        kind = {"location_type": LOCATION_TYPES.get(origin.facility_type)}
        columns = _open(incident, kind, Incident.element_columns)
        address = _address(incident, "location_", Incident.element_columns, origin)
        if address is not None:
            columns |= address | _position(incident, origin)
    return incident.model_copy(update={**columns, "elements": _with_elements(incident.elements, said)})


class WithDestination(NamedTuple):
    """A patient, and the facility to which the patient went. None: the chart names no facility."""

    patient: PatientRead
    facility: FacilitySnapshot | None


def patient_with_picks(incident: IncidentRead, patient: PatientRead, *, alone: bool) -> WithDestination:
    """The patient with what the destination facility says: the patient's own, else the incident's if it is theirs."""
    facility = _destination(_One(incident, patient, alone))
    if facility is None:
        return WithDestination(patient, None)
    said: dict[str, Any] = {
        "eDisposition.02": facility.location_code,
        "eDisposition.21": DESTINATION_TYPES.get(facility.facility_type),
        "eDisposition.23": facility.designations,
    }
    columns = _open(patient, {"destination_name": facility.name}, Patient.element_columns)
    address = _address(patient, "destination_", Patient.element_columns, facility)
    if address is not None:
        columns |= address
        if facility.latitude is not None:
            said["eDisposition.09"] = f"{facility.latitude:f},{facility.longitude:f}"
    said_too = {**columns, "elements": _with_elements(patient.elements, said)}
    return WithDestination(patient.model_copy(update=said_too), facility)


def _destination(one: _One) -> FacilitySnapshot | None:
    """The facility to which the patient went.

    The incident's is not that of a patient who says another destination, or who was not brought by this unit.
    """
    if one.patient.destination_facility is not None:
        return one.patient.destination_facility
    says_itself = any(getattr(one.patient, column) is not None for column in _DESTINATION_COLUMNS) or any(
        _has_value(one.patient.elements, element_id) for element_id in _DESTINATION
    )
    if says_itself or _ARRIVAL in foreign_elements(one):
        return None
    return one.incident.destination_facility


_DESTINATION_COLUMNS = (
    "destination_city",
    *(column for column, element_id in Patient.element_columns.items() if element_id in _DESTINATION),
)


def _address(entry: Any, prefix: str, carried: Mapping[str, str], facility: FacilitySnapshot) -> dict[str, Any] | None:
    """The parts of the facility's address that nobody charted. None: what was charted is another address."""
    parts = {part: getattr(facility, part) for part in _ADDRESS if hasattr(entry, prefix + part)}
    if any(_differs(part, getattr(entry, prefix + part), value) for part, value in parts.items()):
        return None
    return _open(entry, {prefix + part: value for part, value in parts.items()}, carried)


def _differs(part: str, charted: str | None, known: str | None) -> bool:
    """True if a charted part of an address is not the facility's.

    A room is a place within the address. A ZIP code is the same with and without its four further digits.
    """
    if charted is None or part == "unit":
        return False
    if part == "country":
        return charted != (known or UNITED_STATES)
    if known is None:
        return False
    if part == "zip" and _US_ZIP.match(charted) and _US_ZIP.match(known):
        return charted[:5] != known[:5]
    return charted.casefold() != known.casefold()


def _position(incident: IncidentRead, facility: FacilitySnapshot) -> dict[str, Any]:
    given = (incident.location_latitude, incident.location_longitude)
    if given != (None, None):
        return {}
    position = {"location_latitude": facility.latitude, "location_longitude": facility.longitude}
    return _open(incident, position, Incident.element_columns)


def _open(entry: Any, columns: Mapping[str, Any], carried: Mapping[str, str]) -> dict[str, Any]:
    """The columns that have neither a value nor a charted reason why there is none."""
    return {
        column: value
        for column, value in columns.items()
        if value is not None and getattr(entry, column) is None and carried.get(column) not in entry.elements
    }


def _with_elements(charted: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """The charted elements, and of the others those that were said."""
    added = {
        element_id: [{"value": value} for value in (values if isinstance(values, list) else [values])]
        for element_id, values in said.items()
        if values is not None and element_id not in charted
    }
    return charted | added


def _has_value(elements: Mapping[str, Any], element_id: str) -> bool:
    return any(entry.get("value") is not None for entry in elements.get(element_id, ()))
