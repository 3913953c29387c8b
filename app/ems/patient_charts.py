"""The chart by patient: documents and claims are made of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from app.core.db.uow import ReadUnitOfWork
from app.core.facilities.public import FacilitySnapshot
from app.core.filters import chosen
from app.core.schemas import EntityRead, ReadModel
from app.ems.call_kinds import Need, needs_of
from app.ems.crew.schemas import CrewMemberRead
from app.ems.element_groups.schemas import ElementGroupRead
from app.ems.entries.kinds import CHILD_KINDS
from app.ems.incidents.schemas import IncidentRead
from app.ems.interventions.schemas import InterventionRead
from app.ems.narratives.schemas import NarrativeRead
from app.ems.parts import CHARTED_ENTRIES, NARRATIVE, PATIENT, ChartPart
from app.ems.patients.models import Patient
from app.ems.patients.schemas import PatientRead
from app.ems.picked import patient_with_picks, with_picks
from app.ems.vitals.schemas import VitalRead

_REPORTS_WITHOUT_PATIENT = uuid.UUID("5d0d8e3c-6f0a-4c0e-9a53-0f6c7a3b1e42")
"""The namespace of the PatientCareReport UUIDs of calls without a patient. NEMSIS takes versions 1 to 5."""
_STORIES = frozenset({NARRATIVE.list_name})


class PatientChart(ReadModel):
    """The material of a PatientCareReport: the incident and its crew, one patient, and that patient's entries.

    The incident and the patient say what the records that they name say, where nobody charted it.

    `destination` is the facility record to which the patient went, if the chart names one.

    `alone`: the incident has no other patient. `of_call`: it is the report of a call on which there was no patient.
    Then `patient` is blank, has the id and version of the incident, and is stored nowhere.
    """

    incident: IncidentRead
    patient: PatientRead
    vitals: list[VitalRead]
    interventions: list[InterventionRead]
    narratives: list[NarrativeRead]
    element_groups: list[ElementGroupRead]
    crew: list[CrewMemberRead]
    destination: FacilitySnapshot | None = None
    alone: bool = True
    of_call: bool = False

    @property
    def patient_id(self) -> uuid.UUID | None:
        """Whom the report is about. None: nobody."""
        return None if self.of_call else self.patient.id

    def entries(self) -> Iterator[EntityRead]:
        """Everything that a document of this chart can show. While no version changes, neither does a verdict on it."""
        for name in type(self).model_fields:
            found = getattr(self, name)
            yield from found if isinstance(found, list) else (found,) if isinstance(found, EntityRead) else ()


class Charts(NamedTuple):
    """The chart of one incident by patient. `call` is the part that names no patient."""

    patients: list[PatientChart]
    call: PatientChart

    @property
    def documented(self) -> list[PatientChart]:
        """The charts of which documents are made: each patient's, or the call's own if it needs no patient."""
        return self.patients or ([] if Need.PATIENT in needs_of(self.call) else [self.call])


async def read_charts(uow: ReadUnitOfWork, incident: IncidentRead) -> Charts:
    """The incident and every patient with their entries: one statement per part, however large the chart.

    The crew and the element groups of the incident itself (eScene) are part of each patient's chart. A narrative that
    names nobody is the sole patient's: of several, nobody knows whose story it tells.
    """
    return (await read_charts_of_many(uow, [incident]))[incident.id]


async def read_charts_of_many(uow: ReadUnitOfWork, incidents: Sequence[IncidentRead]) -> dict[uuid.UUID, Charts]:
    """The same as `read_charts` for each of several incidents: one statement per part for any number of them."""
    if not incidents:
        return {}
    asked = chosen({"incident_id": [incident.id for incident in incidents]})
    rows: dict[uuid.UUID, dict[ChartPart[Any, Any], list[Any]]] = {
        incident.id: {part: [] for part in CHARTED_ENTRIES} for incident in incidents
    }
    for part in CHARTED_ENTRIES:
        for entry in await part.repository(uow).list_all(uow.tenant_id, **asked):
            rows[entry.incident_id][part].append(entry)
    return {incident.id: _charts(incident, rows[incident.id]) for incident in incidents}


def _charts(incident: IncidentRead, rows: dict[ChartPart[Any, Any], list[Any]]) -> Charts:
    patients = {patient.id: patient for patient in rows.pop(PATIENT)}
    called, alone = with_picks(incident), len(patients) == 1
    shown = {part.list_name: _shown(part, found, incident, patients) for part, found in rows.items()}

    def chart_of(
        patient: PatientRead,
        destination: FacilitySnapshot | None = None,
        *,
        alone: bool = True,
        of_call: bool = False,
    ) -> PatientChart:
        of_everybody = shown.keys() if alone else shown.keys() - _STORIES
        theirs = {
            name: [read for about, read in entries if about == patient.id or (about is None and name in of_everybody)]
            for name, entries in shown.items()
        }
        return PatientChart(
            incident=called, patient=patient, **theirs, destination=destination, alone=alone, of_call=of_call
        )

    return Charts(
        [
            chart_of(*patient_with_picks(called, PatientRead.of(patient), alone=alone), alone=alone)
            for patient in patients.values()
        ],
        chart_of(_nobody(called), of_call=True),
    )


async def list_patient_charts(uow: ReadUnitOfWork, incident: IncidentRead) -> list[PatientChart]:
    """Every patient of the incident with their entries, as `read_charts` reads them."""
    return (await read_charts(uow, incident)).patients


def _nobody(incident: IncidentRead) -> PatientRead:
    """The blank patient of a call without one."""
    blank: dict[str, Any] = dict.fromkeys(PatientRead.model_fields)
    return PatientRead.model_construct(
        **{
            **blank,
            "id": incident.id,
            "version": incident.version,
            "created_at": incident.created_at,
            "updated_at": incident.updated_at,
            "incident_id": incident.id,
            "pcr_uuid": uuid.uuid5(_REPORTS_WITHOUT_PATIENT, str(incident.id)),
            "elements": {},
        }
    )


def _shown(
    part: ChartPart[Any, Any], entries: Iterable[Any], incident: IncidentRead, patients: Mapping[uuid.UUID, Patient]
) -> list[tuple[uuid.UUID | None, Any]]:
    """Entries as answers show them, each with the patient whom it is about; None: the whole call."""
    present = CHILD_KINDS[part.entity_type].present
    if not part.names_patient:
        return [(None, present(entry, incident, None)) for entry in entries]
    named = [(entry.patient_id, entry) for entry in entries]
    return [(about, present(entry, incident, patients.get(about))) for about, entry in named]
