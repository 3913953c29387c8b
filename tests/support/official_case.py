"""Turns an official NEMSIS document into the requests that chart it: columns where there are, elements otherwise."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from app.core.geography import ANSI_BY_USPS
from app.core.personnel.models import LicensureLevel
from app.ems.crew.models import CrewMember
from app.ems.elements import REPEATING_GROUPS, ElementValue, Owner, owner_of, to_json
from app.ems.incidents.models import Incident
from app.ems.interventions.models import MEDICATION_COLUMNS, PROCEDURE_COLUMNS, Intervention
from app.ems.narratives.models import Narrative
from app.ems.patients.models import Patient
from app.ems.vitals.models import Vital
from app.nemsis import mapping
from app.nemsis.content import Elements, GroupInstance, ReportContent
from scripts.demo_chart import Call

Body = dict[str, Any]
_USPS_BY_ANSI = {ansi: usps for usps, ansi in ANSI_BY_USPS.items()}
_WORDS = {code: word.value for word, code in mapping._CODES.items()}


def _column_value(table: Any, column: str, value: str) -> Any:
    if column.endswith("_state"):
        return _USPS_BY_ANSI[value]
    if isinstance(table.c[column].type, sa.Integer):
        return int(value)
    return _WORDS.get(value, value)


def body_of(elements: Elements, entity: Any, columns: Mapping[str, str]) -> Body:
    """A create request: what a column carries goes there, a NOT value or pertinent negative stays in `elements`."""
    carried = {element_id: column for column, element_id in columns.items()}
    body: Body = {}
    kept: dict[str, list[ElementValue]] = {}
    for element_id, entries in elements.items():
        column = carried.get(element_id)
        first = entries[0]
        if column is None or first.value is None or _is_snomed(first):
            kept[element_id] = list(entries)
            continue
        if element_id == "eScene.11":
            body["location_latitude"], body["location_longitude"] = first.value.split(",")
            continue
        if column == "response_roles":
            body[column] = [entry.value for entry in entries]
            beside = [entry.model_copy(update={"value": None}) for entry in entries]
            if any(entry != ElementValue() for entry in beside):
                kept[element_id] = beside
            continue
        body[column] = _column_value(entity.__table__, column, first.value)
        attributes = dict(first.attributes or {})
        if attributes.pop("ETCO2Type", None):
            body["etco2_unit"] = _WORDS[(first.attributes or {})["ETCO2Type"]]
        attributes.pop("CodeType", None)
        rest = first.model_copy(update={"value": None, "attributes": attributes or None})
        if rest != ElementValue():
            kept[element_id] = [rest]
    body["elements"] = to_json(kept)
    return body


def _is_snomed(entry: ElementValue) -> bool:
    return (entry.attributes or {}).get("CodeType") == "9924005"


class OfficialCase:
    """The requests of one PatientCareReport. `tenant` is the profile that its header wants."""

    def __init__(self, demographic: Mapping[str, str], report: ReportContent) -> None:
        by_owner: dict[Owner, dict[str, Any]] = {owner: {} for owner in Owner}
        for element_id, entries in report.elements.items():
            by_owner[owner_of(element_id)][element_id] = entries
        by_owner[Owner.TENANT] |= {name: [ElementValue(value=value)] for name, value in demographic.items()}
        self.tenant = self._tenant(by_owner[Owner.TENANT])
        incident_columns = {**Incident.element_columns}
        patient = by_owner[Owner.PATIENT]
        for column, element_id in mapping.SOLE_PATIENT_FIELDS.items():
            if element_id in patient and patient[element_id][0].value is not None:
                by_owner[Owner.INCIDENT][element_id] = patient.pop(element_id)
                incident_columns[column] = element_id
        self.incident = body_of(by_owner[Owner.INCIDENT], Incident, incident_columns)
        self.patient = body_of(patient, Patient, Patient.element_columns)
        self.narratives = [
            body_of({name: entries}, Narrative, Narrative.element_columns)
            for name, entries in by_owner[Owner.NARRATIVE].items()
        ]
        self.vitals = [
            body_of(group.elements, Vital, Vital.element_columns) | {"correlation_id": group.correlation_id}
            for group in report.groups
            if group.name == "eVitals.VitalGroup"
        ]
        self.interventions = [
            self._intervention(group) for group in report.groups if group.name in _INTERVENTION_GROUPS
        ]
        crew = [group for group in report.groups if group.name == "eCrew.CrewGroup"]
        self.crew = [crew_of(group, number, self.tenant["state"]) for number, group in enumerate(crew)]
        self.groups = [group for group in report.groups if group.name in REPEATING_GROUPS]

    def call(self, *, scene: Body, patient: Body, claim: Body) -> Call:
        """The case as a call to play, with additions to the incident and the patient."""
        owners = [(REPEATING_GROUPS[group.name].owner, group_body(group)) for group in self.groups]
        return Call(
            incident=self.incident | scene,
            patient=self.patient | patient,
            vitals=self.vitals,
            interventions=self.interventions,
            narratives=self.narratives,
            incident_groups=[body for owner, body in owners if owner is Owner.INCIDENT],
            patient_groups=[body for owner, body in owners if owner is not Owner.INCIDENT],
            claim=claim,
            crew=self.crew,
        )

    def _tenant(self, elements: Mapping[str, Any]) -> Body:
        profile = {column: elements[name][0].value for column, name in mapping.TENANT_FIELDS.items()}
        return profile | {"state": _USPS_BY_ANSI[profile["state"]]}

    def _intervention(self, group: GroupInstance) -> Body:
        kind, columns = _INTERVENTION_GROUPS[group.name]
        return body_of(group.elements, Intervention, columns) | {"type": kind, "correlation_id": group.correlation_id}


_INTERVENTION_GROUPS = {
    "eMedications.MedicationGroup": ("medication", MEDICATION_COLUMNS),
    "eProcedures.ProcedureGroup": ("procedure", PROCEDURE_COLUMNS),
}


def crew_of(group: GroupInstance, number: int, state: str) -> tuple[Body, Body]:
    """A person with the licence and the level that the group names, if any, and the entry of that person."""
    body = body_of(group.elements, CrewMember, CrewMember.element_columns)
    person = {"last_name": f"Crew-{number}", "first_name": "Official"}
    person["licensure_level"] = body.pop("licensure_level", LicensureLevel.STUDENT.value)
    if "licensure_id" in body:
        person |= {"licensure_id": body.pop("licensure_id"), "licensure_state": state}
    return person, body | {"correlation_id": group.correlation_id}


def group_body(group: GroupInstance) -> Body:
    """A create request for an element group, without its patient and parent."""
    return {
        "group_name": group.name,
        "correlation_id": group.correlation_id,
        "attributes": dict(group.attributes) or None,
        "elements": to_json(group.elements),
    }


def comparable(entries: Sequence[ElementValue]) -> list[ElementValue]:
    """Times as instants: a document writes them in its agency's zone."""
    return [entry.model_copy(update={"value": _instant(entry.value)}) for entry in entries]


def _instant(value: str | None) -> str | None:
    if value is None or "T" not in value or ":" not in value:
        return value
    return dt.datetime.fromisoformat(value).astimezone(dt.UTC).isoformat()
