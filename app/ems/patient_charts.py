"""The chart by patient: documents and claims are made of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

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
from app.ems.picked import patient_with_picks, with_picks
from app.ems.vitals.schemas import VitalRead


class PatientChart(ReadModel):
    """The material of a PatientCareReport: the incident and its crew, one patient, and that patient's entries.

    The incident and the patient say what the records that they name say, where nobody charted it.

    `alone`: the incident has no other patient.
    """

    incident: IncidentRead
    patient: PatientRead
    vitals: list[VitalRead]
    interventions: list[InterventionRead]
    narratives: list[NarrativeRead]
    element_groups: list[ElementGroupRead]
    crew: list[CrewMemberRead]
    alone: bool = True

    def entries(self) -> Iterator[EntityRead]:
        """Everything that a document of this chart can show. While no version changes, neither does a verdict on it."""
        for name in type(self).model_fields:
            found = getattr(self, name)
            yield from found if isinstance(found, list) else (found,) if isinstance(found, EntityRead) else ()


async def list_patient_charts(uow: ReadUnitOfWork, incident: IncidentRead) -> list[PatientChart]:
    """Every patient of the incident with their entries: one statement per part, however large the chart.

    The crew and the element groups of the incident itself (eScene) are part of each patient's chart.
    """
    rows = {
        part: await part.repository(uow).list_all(uow.tenant_id, incident_id=incident.id) for part in CHARTED_ENTRIES
    }
    patients = {patient.id: patient for patient in rows.pop(PATIENT)}
    called, alone = with_picks(incident), len(patients) == 1
    shown = {part.list_name: _shown(part, found, incident, patients) for part, found in rows.items()}
    return [
        PatientChart(
            incident=called,
            patient=patient_with_picks(called, PatientRead.of(patient), alone=alone),
            alone=alone,
            **{
                name: [read for about, read in entries if about is None or about == patient_id]
                for name, entries in shown.items()
            },
        )
        for patient_id, patient in patients.items()
    ]


def _shown(
    part: ChartPart[Any, Any], entries: Iterable[Any], incident: IncidentRead, patients: Mapping[uuid.UUID, Patient]
) -> list[tuple[uuid.UUID | None, Any]]:
    """Entries as answers show them, each with the patient whom it is about; None: the whole call."""
    present = CHILD_KINDS[part.entity_type].present
    if not part.names_patient:
        return [(None, present(entry, incident, None)) for entry in entries]
    named = [(entry.patient_id, entry) for entry in entries]
    return [(about, present(entry, incident, patients.get(about))) for about, entry in named]
