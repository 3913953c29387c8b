"""From a place in the document to the field of a request that mends it."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.nemsis.findings import FindingSource, Severity, ValidationFinding
from app.nemsis.locations import chart_path, locate_in_chart
from app.nemsis.mapping import ChartOrigins
from app.nemsis.references import CORRELATION_ID_REPEATED

PATIENT = uuid.UUID("8a3f1c9e-2b4d-4e6f-9a0b-1c2d3e4f5a6b")
INCIDENT = SimpleNamespace(disposition=None, primary_impression=None, elements={})
CHART = cast("Any", SimpleNamespace(patient=SimpleNamespace(id=PATIENT, elements={}), incident=INCIDENT))
ROWS: dict[tuple[str, ...], str] = {
    ("eVitals.VitalGroup[2]",): "vitals/v2",
    ("eCrew.CrewGroup[1]",): "crew/c1",
    ("eMedications.MedicationGroup[1]",): "interventions/m1",
    ("eExam.AssessmentGroup[1]",): "element-groups/e1",
}


@pytest.mark.parametrize(
    ("element_id", "path", "field"),
    [
        ("eResponse.08", "eResponse/eResponse.08[2]", "incident.elements.eResponse.08[1]"),
        ("eResponse.05", "eResponse/eResponse.ServiceGroup/eResponse.05", "incident.elements.eResponse.05"),
        ("eTimes.03", "eTimes/eTimes.03", "incident.dispatch_time"),
        ("ePatient.14", "ePatient/ePatient.14[1]", f"patients/{PATIENT}.elements.ePatient.14[0]"),
        ("eVitals.06", "eVitals/eVitals.VitalGroup[2]/eVitals.BloodPressureGroup/eVitals.06", "vitals/v2.systolic_bp"),
        ("eVitals.03", "eVitals/eVitals.VitalGroup[2]/eVitals.CardiacRhythmGroup/eVitals.03[3]",
         "vitals/v2.elements.eVitals.03[2]"),
        ("eCrew.03", "eCrew/eCrew.CrewGroup[1]/eCrew.03[2]", "crew/c1.response_roles[1]"),
        ("eMedications.03", "eMedications/eMedications.MedicationGroup[1]/eMedications.03", "interventions/m1.rxcui"),
        ("eExam.03", "eExam/eExam.AssessmentGroup[1]/eExam.03", "element-groups/e1.elements.eExam.03"),
        ("eExam.AssessmentGroup", "eExam/eExam.AssessmentGroup[1]", "element-groups/e1.attributes"),
        ("eDisposition.27", "eDisposition/eDisposition.IncidentDispositionGroup/eDisposition.27",
         "incident.disposition"),
    ],
)  # fmt: skip
def test_each_place_has_the_field_of_a_request(element_id: str, path: str, field: str) -> None:
    origins = ChartOrigins(sole=True, rows=ROWS)
    assert chart_path(element_id, f"PatientCareReport[1]/{path}", CHART, origins) == field


@pytest.mark.parametrize(
    ("element_id", "path", "field"),
    [
        ("eVitals.VitalGroup", "eVitals/eVitals.VitalGroup[2]", "vitals/v2.correlation_id"),
        ("eResponse.08", "eResponse/eResponse.08[2]", "incident.elements.eResponse.08[1].correlation_id"),
        ("eCrew.03", "eCrew/eCrew.CrewGroup[1]/eCrew.03[1]", "crew/c1.elements.eCrew.03[0].correlation_id"),
    ],
)
def test_a_correlation_id_has_a_field_of_its_own(element_id: str, path: str, field: str) -> None:
    finding = ValidationFinding(
        element_id,
        f"PatientCareReport[1]/{path}",
        Severity.ERROR,
        CORRELATION_ID_REPEATED,
        "",
        FindingSource.REFERENCES,
    )
    assert locate_in_chart(finding, CHART, ChartOrigins(sole=True, rows=ROWS)).internal_path == field
