"""The chart by patient: documents and claims are made of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from app.core.db.uow import ReadUnitOfWork
from app.core.schemas import EntityRead, ReadModel
from app.ems.crew.schemas import CrewMemberRead
from app.ems.element_groups.schemas import ElementGroupRead
from app.ems.entries.kinds import CHILD_KINDS
from app.ems.incidents.schemas import IncidentRead
from app.ems.interventions.schemas import InterventionRead
from app.ems.narratives.schemas import NarrativeRead
from app.ems.parts import CHARTED_ENTRIES, PATIENT, ChartPart
from app.ems.patients.models import Patient
from app.ems.patients.schemas import PatientRead
from app.ems.vitals.schemas import VitalRead


class PatientChart(ReadModel):
    """The material of a PatientCareReport: the incident and its crew, one patient, and that patient's entries."""

    incident: IncidentRead
    patient: PatientRead
    vitals: list[VitalRead]
    interventions: list[InterventionRead]
    narratives: list[NarrativeRead]
    element_groups: list[ElementGroupRead]
    crew: list[CrewMemberRead]

    def entries(self) -> Iterator[EntityRead]:
        """Everything that a document of this chart can show. While no version changes, neither does a verdict on it."""
        for name in type(self).model_fields:
            found = getattr(self, name)
            yield from found if isinstance(found, list) else (found,)


async def list_patient_charts(uow: ReadUnitOfWork, incident: IncidentRead) -> list[PatientChart]:
    """Every patient of the incident with their entries: one statement per part, however large the chart.

    The crew and the element groups of the incident itself (eScene) are part of each patient's chart.
    """
    rows = {
        part: await part.repository(uow).list_all(uow.tenant_id, incident_id=incident.id) for part in CHARTED_ENTRIES
    }
    patients = {patient.id: patient for patient in rows.pop(PATIENT)}
    shown = {part: [_Shown.of(part, entry, incident, patients) for entry in found] for part, found in rows.items()}
    return [
        PatientChart(
            incident=incident,
            patient=PatientRead.of(patient),
            **{
                part.list_name: [one.read for one in entries if one.patient_id in (None, patient.id)]
                for part, entries in shown.items()
            },
        )
        for patient in patients.values()
    ]


class _Shown(NamedTuple):
    """An entry as answers show it. `patient_id` is whom it is about; None: the whole call."""

    patient_id: uuid.UUID | None
    read: Any

    @classmethod
    def of(
        cls, part: ChartPart[Any, Any], entry: Any, incident: IncidentRead, patients: Mapping[uuid.UUID, Patient]
    ) -> _Shown:
        patient_id = entry.patient_id if part.names_patient else None
        patient = None if patient_id is None else patients.get(patient_id)
        return cls(patient_id, CHILD_KINDS[part.entity_type].present(entry, incident, patient))
