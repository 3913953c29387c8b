"""A chart as its documents and claims are made of it: patient by patient."""

from __future__ import annotations

from collections.abc import Iterator

from app.core.db.uow import ReadUnitOfWork
from app.core.schemas import EntityRead, ReadModel
from app.ems.crew.repository import CrewRepository
from app.ems.crew.schemas import CrewMemberRead
from app.ems.element_groups.repository import ElementGroupRepository
from app.ems.element_groups.schemas import ElementGroupRead
from app.ems.entries.vitals import read_vital
from app.ems.incidents.schemas import IncidentRead
from app.ems.interventions.repository import InterventionRepository
from app.ems.interventions.schemas import InterventionRead
from app.ems.narratives.repository import NarrativeRepository
from app.ems.narratives.schemas import NarrativeRead
from app.ems.patients.repository import PatientRepository
from app.ems.patients.schemas import PatientRead
from app.ems.vitals.repository import VitalRepository
from app.ems.vitals.schemas import VitalRead


class PatientChart(ReadModel):
    """What a PatientCareReport is made of: the incident and its crew, one patient, and that patient's entries."""

    incident: IncidentRead
    patient: PatientRead
    vitals: list[VitalRead]
    interventions: list[InterventionRead]
    narratives: list[NarrativeRead]
    element_groups: list[ElementGroupRead]
    crew: list[CrewMemberRead]

    def entries(self) -> Iterator[EntityRead]:
        """Everything that a document of this chart can show, by whose versions a verdict may be remembered."""
        for name in type(self).model_fields:
            found = getattr(self, name)
            yield from found if isinstance(found, list) else (found,)


async def list_patient_charts(uow: ReadUnitOfWork, incident: IncidentRead) -> list[PatientChart]:
    """Every patient of the incident with their entries: six statements however large the chart.

    The crew and the element groups of the incident itself (eScene) are part of each patient's chart.
    """
    tenant_id, incident_id = uow.tenant_id, incident.id
    patients = [
        PatientRead.of(patient) for patient in await PatientRepository(uow).list_all(tenant_id, incident_id=incident_id)
    ]
    vitals = await VitalRepository(uow).list_all(tenant_id, incident_id=incident_id)
    interventions = await InterventionRepository(uow).list_all(tenant_id, incident_id=incident_id)
    narratives = await NarrativeRepository(uow).list_all(tenant_id, incident_id=incident_id)
    groups = await ElementGroupRepository(uow).list_all(tenant_id, incident_id=incident_id)
    members = await CrewRepository(uow).list_all(tenant_id, incident_id=incident_id)
    crew = [CrewMemberRead.of(member) for member in members]
    return [
        PatientChart(
            incident=incident,
            patient=patient,
            vitals=[read_vital(vital, incident, patient) for vital in vitals if vital.patient_id == patient.id],
            interventions=[InterventionRead.of(item) for item in interventions if item.patient_id == patient.id],
            narratives=[NarrativeRead.of(item) for item in narratives if item.patient_id == patient.id],
            element_groups=[ElementGroupRead.of(group) for group in groups if group.patient_id in (None, patient.id)],
            crew=crew,
        )
        for patient in patients
    ]
