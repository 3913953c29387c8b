"""Finds the field of the chart where a medic can mend a finding, from the finding's place in the document."""

from __future__ import annotations

import re
from dataclasses import replace

from app.ems.public import PER_PATIENT, TARGET_BUILD, Owner, PatientChart, load_dictionary, owner_of, says_itself
from app.nemsis.findings import ValidationFinding
from app.nemsis.mapping import DEFAULT_FIELDS, FIELDS, SOLE_PATIENT_FIELDS, ChartOrigins
from app.nemsis.references import CORRELATION_ID_REPEATED

_ENTITY_GROUPS = {
    "eVitals.VitalGroup": "vital",
    "eMedications.MedicationGroup": "medication",
    "eProcedures.ProcedureGroup": "procedure",
    "eCrew.CrewGroup": "crew_member",
}
_REPORT = re.compile(r"PatientCareReport(\[\d+\])?")
_OCCURRENCE = re.compile(r"([A-Za-z.0-9]+)\[(\d+)\]")


def locate_in_chart(finding: ValidationFinding, chart: PatientChart, origins: ChartOrigins) -> ValidationFinding:
    """`internal_path` relative to ems/incidents/{id}: `vitals/<id>.heart_rate`, `incident.elements.eResponse.05`.

    For an element that repeats, it names the occurrence, counted from 0: `incident.elements.eResponse.08[1]`. Refusals
    to save count the same way.
    """
    part = "correlation_id" if finding.code == CORRELATION_ID_REPEATED else None
    return replace(finding, internal_path=chart_path(finding.element_id, finding.path, chart, origins, part))


def chart_path(
    element_id: str, path: str, chart: PatientChart, origins: ChartOrigins, part: str | None = None
) -> str | None:
    """The `internal_path` for `path` of the document. `part` names a part of the element or group: `correlation_id`."""
    steps = path.split("/")
    groups = tuple(step for step in steps if step.endswith("]") and not _REPORT.fullmatch(step))
    occurrence = _OCCURRENCE.fullmatch(steps[-1])
    index = f"[{int(occurrence[2]) - 1}]" if occurrence and occurrence[1] == element_id else ""
    return _path(element_id, groups, chart, origins, index, part)


def _path(
    element_id: str, groups: tuple[str, ...], chart: PatientChart, origins: ChartOrigins, index: str, part: str | None
) -> str | None:
    def field(entity: str | None) -> str:
        return _field(element_id, entity, index, part)

    rows = [groups[:length] for length in range(len(groups), 0, -1) if groups[:length] in origins.rows]
    if rows:
        name = rows[0][-1].partition("[")[0]
        return f"{origins.rows[rows[0]]}.{field(_ENTITY_GROUPS.get(name))}"
    try:
        owner = owner_of(element_id)
    except KeyError:
        return None
    if owner is Owner.TENANT:
        return f"tenant.{field('tenant')}"
    own = element_id in PER_PATIENT and says_itself(chart.patient, element_id)
    if owner is Owner.INCIDENT and not own:
        return f"incident.{field('incident')}"
    if owner is Owner.PATIENT or own:
        if element_id not in chart.patient.elements and _stands_at_incident(element_id, chart, origins):
            return f"incident.{field('incident')}"
        return f"patients/{chart.patient.id}.{field('patient')}"
    collections = {Owner.VITAL: "vitals", Owner.NARRATIVE: "narratives", Owner.CREW_MEMBER: "crew"}
    return collections.get(owner, "interventions")


def _stands_at_incident(element_id: str, chart: PatientChart, origins: ChartOrigins) -> bool:
    """True if the incident's value stands for the patient's: the value holds for all patients, or there is only one."""
    fields = {**DEFAULT_FIELDS, **SOLE_PATIENT_FIELDS}
    defaults = [name for name, held in DEFAULT_FIELDS.items() if held == element_id]
    given = any(getattr(chart.incident, name) is not None for name in defaults)
    return given or (origins.sole and element_id in fields.values())


def _field(element_id: str, entity: str | None, index: str, part: str | None) -> str:
    """The field as a request names it: a column, an element, or (for a group itself) one of the row's own fields."""
    if element_id in load_dictionary(TARGET_BUILD).groups:
        return part or "attributes"
    if part is not None:  # attributes of a column's value are stored in `elements`
        return f"elements.{element_id}{index or '[0]'}.{part}"
    columns = FIELDS.get(entity or "", {})
    column = next((column for column, carried in columns.items() if carried == element_id), None)
    return f"{column or f'elements.{element_id}'}{index}"
