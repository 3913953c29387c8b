"""Everything that other domains may import of ems: dictionary, charts, citations, ports, topics, permissions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from app.core.db.uow import ReadUnitOfWork
from app.core.errors import NotFound
from app.core.text import name_key
from app.ems.attachments.repository import AttachmentRepository
from app.ems.call_kinds import CallKind, Need, kind_of, needs_of, not_due
from app.ems.charting.service import present
from app.ems.citations.service import (
    Citation,
    CitationMiss,
    CitedChange,
    CitedValue,
    MissReason,
    compare_citations,
    resolve_citations,
)
from app.ems.crew.models import CrewMember
from app.ems.crew.schemas import CrewMemberRead
from app.ems.custom_elements.repository import CustomElementRepository
from app.ems.custom_elements.schemas import CustomElementRead
from app.ems.element_groups.schemas import ElementGroupRead
from app.ems.elements import (
    APPROXIMATE,
    CUSTOM_CONFIGURATION_GROUP,
    NOT_APPLICABLE,
    NOT_RECORDED,
    PER_PATIENT,
    REPEATING_GROUPS,
    RXNORM_CODE_TYPE,
    TARGET_BUILD,
    AttributeDefinition,
    Definition,
    Dictionary,
    ElementDefinition,
    ElementValue,
    GroupDefinition,
    Occurrence,
    Owner,
    PertinentNegativeMode,
    SimpleType,
    broken_rules,
    definition_name,
    expectation,
    from_json,
    has_illegal_character,
    load_dictionary,
    owner_of,
    repeating_group_of,
)
from app.ems.entries.signatures import present_signatures, present_signatures_of_many
from app.ems.events import INCIDENT_AMENDED, INCIDENT_STATUS_CHANGED, INCIDENT_UPDATED
from app.ems.exports import EXPORTS, ExportedDocument, ExportSource
from app.ems.incidents.models import Incident
from app.ems.incidents.repository import IncidentRepository
from app.ems.incidents.schemas import IncidentRead
from app.ems.interventions.models import MEDICATION_COLUMNS, PROCEDURE_COLUMNS, InterventionType, Outcome
from app.ems.interventions.schemas import InterventionRead
from app.ems.lifecycle import IncidentStatus
from app.ems.meanings import EntryMeaning, Meaning, meaning_of
from app.ems.narratives.models import Narrative
from app.ems.narratives.schemas import NarrativeRead
from app.ems.parts import CHARTED
from app.ems.patient_charts import Charts, PatientChart, list_patient_charts, read_charts, read_charts_of_many
from app.ems.patient_facts import (
    PRIMARY_IMPRESSION,
    TRANSPORT_DISPOSITION,
    UNIT_DISPOSITION,
    Transport,
    foreign_elements,
    inherits,
    says_itself,
    time_of,
    transport_of,
    unit_disposition,
)
from app.ems.patients.models import AgeUnit, Gender, Patient
from app.ems.patients.repository import PatientRepository
from app.ems.patients.schemas import PatientRead
from app.ems.permissions import CHART_READ
from app.ems.readiness.people import step_towards
from app.ems.readiness.port import (
    BLANK,
    READINESS,
    Finding,
    Fix,
    FixRule,
    LoadedChart,
    Place,
    ReadinessSeverity,
    ReadinessSource,
    Stage,
    StageFindings,
    place_in_chart,
)
from app.ems.service_date import service_date, service_time_field
from app.ems.signatures.lifecycle import SignatureStatus
from app.ems.signatures.models import SignerRole, StatementCode
from app.ems.signatures.repository import SignatureRepository
from app.ems.signatures.schemas import CoverageChange, SignatureRead
from app.ems.trips import LOCKED_TRIPS
from app.ems.vitals.models import Etco2Unit, Vital
from app.ems.vitals.schemas import VitalRead

INCIDENT_COLUMNS = Incident.element_columns
PATIENT_COLUMNS = Patient.element_columns
VITAL_COLUMNS = Vital.element_columns
NARRATIVE_COLUMNS = Narrative.element_columns
CREW_COLUMNS = CrewMember.element_columns


async def get_incident(uow: ReadUnitOfWork, incident_id: uuid.UUID) -> IncidentRead:
    """The incident as it stands. Raises NotFound."""
    return present(await IncidentRepository(uow).get(uow.tenant_id, incident_id), uow.principal)


async def hold_incident(uow: ReadUnitOfWork, incident_id: uuid.UUID) -> IncidentRead:
    """The incident, locked FOR SHARE: its row, and so its state, is not changed until the unit of work ends.

    Entries may still be written. Raises NotFound.
    """
    return present(await IncidentRepository(uow).get_for_share(uow.tenant_id, incident_id), uow.principal)


async def hold_incidents(uow: ReadUnitOfWork, incident_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, IncidentRead]:
    """The same as `hold_incident` for several incidents, in one statement. They are locked in the order of their ids.

    Raises NotFound if one is missing.
    """
    found = await IncidentRepository(uow).list_for_share(uow.tenant_id, incident_ids)
    if len(found) < len(set(incident_ids)):
        raise NotFound
    return {incident.id: present(incident, uow.principal) for incident in found}


async def freeze_chart(uow: ReadUnitOfWork, incident_id: uuid.UUID) -> IncidentRead:
    """The incident, locked FOR UPDATE: nothing of the chart is written until the unit of work ends, no entry either.

    Whoever writes an entry locks the incident FOR SHARE, and waits. Raises NotFound.
    """
    return present(await IncidentRepository(uow).get_for_update(uow.tenant_id, incident_id), uow.principal)


async def list_patients(uow: ReadUnitOfWork, incident_id: uuid.UUID) -> list[PatientRead]:
    """The live patients of an incident, in one statement; none for an incident that does not exist."""
    patients = await PatientRepository(uow).list_all(uow.tenant_id, incident_id=incident_id)
    return [PatientRead.of(patient) for patient in patients]


async def list_namesakes(uow: ReadUnitOfWork, patient: PatientRead) -> list[uuid.UUID]:
    """Ids of the patients of any call who have the patient's names and birth date: probably the same person.

    The patient is among them. None if a name or the birth date is not charted.
    """
    last, first = name_key(patient.last_name or ""), name_key(patient.first_name or "")
    if not last or not first or patient.date_of_birth is None:
        return []
    return await PatientRepository(uow).list_namesakes(
        uow.tenant_id, last_name_key=last, first_name_key=first, date_of_birth=patient.date_of_birth
    )


async def list_custom_elements(uow: ReadUnitOfWork) -> list[CustomElementRead]:
    """Everything that the agency has defined beyond the standard."""
    return [CustomElementRead.of(item) for item in await CustomElementRepository(uow).list_all(uow.tenant_id)]


async def get_patient_charts(uow: ReadUnitOfWork, incident_id: uuid.UUID) -> list[PatientChart]:
    """Every patient of the incident with their entries: seven statements however large the chart. Raises NotFound."""
    return await list_patient_charts(uow, await get_incident(uow, incident_id))


async def get_patient_charts_of_many(
    uow: ReadUnitOfWork, incidents: Sequence[IncidentRead]
) -> dict[uuid.UUID, list[PatientChart]]:
    """Every patient of each incident with their entries: six statements for any number of incidents."""
    return {incident_id: charts.patients for incident_id, charts in (await read_charts_of_many(uow, incidents)).items()}


async def get_charts(uow: ReadUnitOfWork, incident_id: uuid.UUID) -> Charts:
    """As `get_patient_charts`, with the part that names no patient. Raises NotFound."""
    return await read_charts(uow, await get_incident(uow, incident_id))


async def has_attachment(uow: ReadUnitOfWork, incident_id: uuid.UUID, attachment_id: uuid.UUID) -> bool:
    """True if the live attachment belongs to the chart."""
    found = await AttachmentRepository(uow).find(uow.tenant_id, attachment_id)
    return found is not None and found.incident_id == incident_id


async def list_signatures(uow: ReadUnitOfWork, incident_id: uuid.UUID) -> list[SignatureRead]:
    """All live signatures of the chart, each with what of its content changed since: five statements at most.

    Raises NotFound.
    """
    incident = await IncidentRepository(uow).get(uow.tenant_id, incident_id)
    signatures = await SignatureRepository(uow).list_all(uow.tenant_id, incident_id=incident_id)
    return await present_signatures(uow, incident, signatures)


async def list_signatures_of_many(
    uow: ReadUnitOfWork, incidents: Sequence[IncidentRead]
) -> dict[uuid.UUID, list[SignatureRead]]:
    """The same as `list_signatures` for each of several incidents: three statements for any number of them."""
    found: dict[uuid.UUID, list[SignatureRead]] = {incident.id: [] for incident in incidents}
    signatures = await SignatureRepository(uow).list_all(uow.tenant_id, incident_id=list(found))
    for signature in await present_signatures_of_many(uow, incidents, signatures):
        found[signature.incident_id].append(signature)
    return found


__all__ = [
    "APPROXIMATE",
    "BLANK",
    "CHARTED",
    "CHART_READ",
    "CREW_COLUMNS",
    "CUSTOM_CONFIGURATION_GROUP",
    "EXPORTS",
    "INCIDENT_AMENDED",
    "INCIDENT_COLUMNS",
    "INCIDENT_STATUS_CHANGED",
    "INCIDENT_UPDATED",
    "LOCKED_TRIPS",
    "MEDICATION_COLUMNS",
    "NARRATIVE_COLUMNS",
    "NOT_APPLICABLE",
    "NOT_RECORDED",
    "PATIENT_COLUMNS",
    "PER_PATIENT",
    "PRIMARY_IMPRESSION",
    "PROCEDURE_COLUMNS",
    "READINESS",
    "REPEATING_GROUPS",
    "RXNORM_CODE_TYPE",
    "TARGET_BUILD",
    "TRANSPORT_DISPOSITION",
    "UNIT_DISPOSITION",
    "VITAL_COLUMNS",
    "AgeUnit",
    "AttributeDefinition",
    "CallKind",
    "Charts",
    "Citation",
    "CitationMiss",
    "CitedChange",
    "CitedValue",
    "CoverageChange",
    "CrewMemberRead",
    "CustomElementRead",
    "Definition",
    "Dictionary",
    "ElementDefinition",
    "ElementGroupRead",
    "ElementValue",
    "EntryMeaning",
    "Etco2Unit",
    "ExportSource",
    "ExportedDocument",
    "Finding",
    "Fix",
    "FixRule",
    "Gender",
    "GroupDefinition",
    "IncidentRead",
    "IncidentStatus",
    "InterventionRead",
    "InterventionType",
    "LoadedChart",
    "Meaning",
    "MissReason",
    "NarrativeRead",
    "Need",
    "Occurrence",
    "Outcome",
    "Owner",
    "PatientChart",
    "PatientRead",
    "PertinentNegativeMode",
    "Place",
    "ReadinessSeverity",
    "ReadinessSource",
    "SignatureRead",
    "SignatureStatus",
    "SignerRole",
    "SimpleType",
    "Stage",
    "StageFindings",
    "StatementCode",
    "Transport",
    "VitalRead",
    "broken_rules",
    "compare_citations",
    "definition_name",
    "expectation",
    "foreign_elements",
    "freeze_chart",
    "from_json",
    "get_charts",
    "get_incident",
    "get_patient_charts",
    "get_patient_charts_of_many",
    "has_attachment",
    "has_illegal_character",
    "hold_incident",
    "hold_incidents",
    "inherits",
    "kind_of",
    "list_custom_elements",
    "list_namesakes",
    "list_patients",
    "list_signatures",
    "list_signatures_of_many",
    "load_dictionary",
    "meaning_of",
    "needs_of",
    "not_due",
    "owner_of",
    "place_in_chart",
    "repeating_group_of",
    "resolve_citations",
    "says_itself",
    "service_date",
    "service_time_field",
    "step_towards",
    "time_of",
    "transport_of",
    "unit_disposition",
]
