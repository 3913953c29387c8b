"""From a finding's place in the document back to the field of the chart where a medic can mend it."""

from __future__ import annotations

import re
from dataclasses import replace

from app.ems.public import PER_PATIENT, Owner, PatientChart, owner_of, says_itself
from app.nemsis.findings import ValidationFinding
from app.nemsis.mapping import DEFAULT_FIELDS, FIELDS, SOLE_PATIENT_FIELDS, Places

_ENTITY_GROUPS = {
    "eVitals.VitalGroup": "vital",
    "eMedications.MedicationGroup": "medication",
    "eProcedures.ProcedureGroup": "procedure",
    "eCrew.CrewGroup": "crew_member",
}
_REPORT = re.compile(r"PatientCareReport(\[\d+\])?")


def locate_in_chart(finding: ValidationFinding, chart: PatientChart, places: Places) -> ValidationFinding:
    """`internal_path` relative to ems/incidents/{id}: `vitals/<id>.heart_rate`, `incident.elements.eResponse.05`."""
    return replace(finding, internal_path=chart_path(finding.element_id, finding.path, chart, places))


def chart_path(element_id: str, path: str, chart: PatientChart, places: Places) -> str | None:
    """The `internal_path` of what stands at `path` of the document."""
    groups = tuple(step for step in path.split("/") if step.endswith("]") and not _REPORT.fullmatch(step))
    return _path(element_id, groups, chart, places)


def _path(element_id: str, groups: tuple[str, ...], chart: PatientChart, places: Places) -> str | None:
    rows = [groups[:length] for length in range(len(groups), 0, -1) if groups[:length] in places.rows]
    if rows:
        name = rows[0][-1].partition("[")[0]
        return f"{places.rows[rows[0]]}.{_field(element_id, _ENTITY_GROUPS.get(name))}"
    try:
        owner = owner_of(element_id)
    except KeyError:
        return None
    if owner is Owner.TENANT:
        return f"tenant.{_field(element_id, 'tenant')}"
    own = element_id in PER_PATIENT and says_itself(chart.patient, element_id)
    if owner is Owner.INCIDENT and not own:
        return f"incident.{_field(element_id, 'incident')}"
    if owner is Owner.PATIENT or own:
        if element_id not in chart.patient.elements and _stands_at_incident(element_id, chart, places):
            return f"incident.{_field(element_id, 'incident')}"
        return f"patients/{chart.patient.id}.{_field(element_id, 'patient')}"
    collections = {Owner.VITAL: "vitals", Owner.NARRATIVE: "narratives", Owner.CREW_MEMBER: "crew"}
    return collections.get(owner, "interventions")


def _stands_at_incident(element_id: str, chart: PatientChart, places: Places) -> bool:
    """Whether the incident says this of a patient who does not say it: a sole one, or what stands for each of them."""
    fields = {**DEFAULT_FIELDS, **SOLE_PATIENT_FIELDS}
    defaults = [name for name, held in DEFAULT_FIELDS.items() if held == element_id]
    given = any(getattr(chart.incident, name) is not None for name in defaults)
    return given or (places.sole and element_id in fields.values())


def _field(element_id: str, entity: str | None) -> str:
    columns = FIELDS.get(entity or "", {})
    return next((column for column, carried in columns.items() if carried == element_id), f"elements.{element_id}")
