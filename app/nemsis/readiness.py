"""Readiness of a chart for the state: what `validate` and `export` would report about its documents now."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from app.core.config import Settings
from app.core.db.uow import ReadUnitOfWork
from app.core.tenants.public import TENANT_WRITE, TenantRead
from app.ems.public import (
    BLANK,
    NOT_RECORDED,
    PER_PATIENT,
    TARGET_BUILD,
    Finding,
    Fix,
    FixRule,
    LoadedChart,
    Owner,
    PatientChart,
    Place,
    ReadinessSeverity,
    ReadinessSource,
    Stage,
    StageFindings,
    list_custom_elements,
    load_dictionary,
    owner_of,
    place_in_chart,
    service_date,
    step_towards,
)
from app.nemsis import findings as validation
from app.nemsis.diagnoses import Diagnosis, check_diagnoses
from app.nemsis.exports.lifecycle import ExportFacts, ExportStatus, ExportTransition, export_lifecycle
from app.nemsis.exports.repository import NemsisExportRepository
from app.nemsis.exports.service import CLOSED_STATES
from app.nemsis.findings import FindingSource, ValidationFinding
from app.nemsis.mapping import FIELDS
from app.nemsis.schema_bundle import SchemaBundle
from app.nemsis.settings import NemsisSettings
from app.nemsis.validation import Agency, validate_chart

REMEMBERED = 512
"""The number of verdicts that a process keeps. Crew, reviewer and biller ask about the same chart many times."""
_SEVERITIES = {
    validation.Severity.ERROR: ReadinessSeverity.BLOCKING,
    validation.Severity.WARNING: ReadinessSeverity.WARNING,
}
_INCIDENT, _PATIENT = "incident", "patient"


class Verdict(NamedTuple):
    """The part of a ValidatedDocument that readiness needs, without the document.

    `diagnoses` are judged each time, because a new release of the code set may judge them differently.
    """

    sha256: str
    findings: Sequence[ValidationFinding]
    blanks: Mapping[str, str | None]
    diagnoses: Sequence[Diagnosis]


_verdicts: OrderedDict[bytes, Verdict] = OrderedDict()


async def find_for_submission(uow: ReadUnitOfWork, settings: Settings, chart: LoadedChart) -> StageFindings:
    """Done when every document was exported and would be the same today. A call without a patient has one, too."""
    agency = Agency(TenantRead.of(chart.tenant), await list_custom_elements(uow))
    schema = SchemaBundle(settings.group(NemsisSettings).nemsis_schema_dir)
    exported = await _exported(uow, chart.incident.id)
    verdicts = {
        one.patient_id: await _verdict(agency, one, ordinal, len(chart.documented), schema)
        for ordinal, one in enumerate(chart.documented, start=1)
    }
    waiting = {
        patient_id: verdict for patient_id, verdict in verdicts.items() if exported.get(patient_id) != verdict.sha256
    }
    if verdicts and not waiting:
        return StageFindings((), done=True)
    served_on = service_date(chart.incident, chart.tenant.time_zone)
    warnings = await check_diagnoses(uow, served_on, [verdict.diagnoses for verdict in waiting.values()])
    said = {
        patient_id: [*verdict.findings, *found]
        for (patient_id, verdict), found in zip(waiting.items(), warnings, strict=True)
    }
    return StageFindings(
        [
            *_gate(chart),
            *_documents(chart, said),
            *_blanks(chart, waiting),
            *_outdated(chart, [patient_id for patient_id in waiting if patient_id in exported]),
        ]
    )


async def _exported(uow: ReadUnitOfWork, incident_id: uuid.UUID) -> Mapping[uuid.UUID | None, str | None]:
    """The digest of each patient's last exported document, by patient."""
    exports = await NemsisExportRepository(uow).list_all(
        uow.tenant_id, incident_id=incident_id, status=ExportStatus.EXPORTED
    )
    return {
        export.patient_id: export.document_sha256 for export in sorted(exports, key=lambda export: export.updated_at)
    }


async def _verdict(agency: Agency, chart: PatientChart, ordinal: int, count: int, schema: SchemaBundle) -> Verdict:
    """The verdict on one patient's document, made in a thread. It is kept: a committed version never changes."""
    key = _identity(agency, chart, ordinal, count, schema)
    known = _verdicts.get(key)
    if known is None:
        judged = await validate_chart(agency, chart, ordinal, count, schema)
        known = Verdict(judged.sha256, tuple(judged.findings), judged.blanks, judged.diagnoses)
    _verdicts[key] = known
    _verdicts.move_to_end(key)
    while len(_verdicts) > REMEMBERED:
        _verdicts.popitem(last=False)
    return known


def _identity(agency: Agency, chart: PatientChart, ordinal: int, count: int, schema: SchemaBundle) -> bytes:
    """A digest of everything that goes into the document and of everything that judges it."""
    digest = hashlib.sha256(f"{TARGET_BUILD} {schema.available()} {ordinal} {count}".encode())
    for entry in (agency.tenant, *agency.custom_elements, *chart.entries()):
        digest.update(entry.id.bytes + entry.version.to_bytes(4))
    return digest.digest()


def _gate(chart: LoadedChart) -> Iterator[Finding]:
    """The guards of `export` that the chart's state does not pass. A chart without a document is a finding, too."""
    closed = chart.incident.status in CLOSED_STATES
    export = export_lifecycle.find(ExportStatus.READY_FOR_EXPORT, ExportTransition.EXPORT)
    for guard in () if export is None else export.guards:
        if not guard.holds(ExportFacts(closed=closed, unchanged=True)):
            step = step_towards(chart.incident.status, CLOSED_STATES.__contains__)
            yield dataclasses.replace(
                _of_incident(chart, guard.name, "status", guard.message), permission=step.permission
            )
    if not chart.documented:
        message = (
            "Without a patient there is no document to submit, unless the disposition says that the call had none."
        )
        yield _of_incident(chart, "patient_missing", "patients", message)


def _of_incident(chart: LoadedChart, code: str, field: str, message: str) -> Finding:
    return Finding(
        severity=ReadinessSeverity.BLOCKING,
        code=code,
        message=message,
        entity=_INCIDENT,
        entity_id=chart.incident.id,
        field=field,
    )


def _documents(chart: LoadedChart, said: Mapping[uuid.UUID | None, Sequence[ValidationFinding]]) -> Iterator[Finding]:
    for patient_id, found in said.items():
        for finding in found:
            place = place_in_chart(finding.internal_path or "", chart)
            entity, entity_id, field = place or _about(chart, patient_id, finding.internal_path or finding.element_id)
            yield Finding(
                severity=_SEVERITIES[finding.severity],
                code=finding.code,
                message=finding.message,
                entity=entity,
                entity_id=entity_id,
                field=field,
                patient_id=None if entity_id in (chart.incident.id, chart.tenant.id) else patient_id,
                rule=finding.code if finding.source is FindingSource.NATIONAL else finding.element_id,
                permission=TENANT_WRITE if entity_id == chart.tenant.id else None,
            )


def _about(chart: LoadedChart, patient_id: uuid.UUID | None, field: str) -> Place:
    """The patient of a document, or the incident for a call without one."""
    return Place(_INCIDENT, chart.incident.id, field) if patient_id is None else Place(_PATIENT, patient_id, field)


def _blanks(chart: LoadedChart, verdicts: Mapping[uuid.UUID | None, Verdict]) -> Iterator[Finding]:
    """Blank elements. The incident's count when they are blank in every document, a patient's when blank in theirs."""
    dictionary = load_dictionary(TARGET_BUILD)
    everywhere = _blank_everywhere([verdict.blanks for verdict in verdicts.values()])
    for element_id, definition in dictionary.elements.items():
        of_patients = element_id in PER_PATIENT and element_id not in everywhere
        about_incident = owner_of(element_id) is Owner.INCIDENT and not of_patients
        for patient_id, verdict in verdicts.items():
            if element_id not in (everywhere if about_incident else verdict.blanks):
                continue
            place = None if of_patients else place_in_chart(verdict.blanks[element_id] or "", chart)
            entity, entity_id, field = place or _about(chart, patient_id, _field_of_patient(element_id))
            yield Finding(
                severity=ReadinessSeverity.WARNING,
                code=BLANK,
                message=f"{definition.name} is blank: the document will say Not Recorded.",
                entity=entity,
                entity_id=entity_id,
                field=field,
                patient_id=None if about_incident else patient_id,
                rule=element_id,
            )


def _blank_everywhere(blanks: Sequence[Mapping[str, str | None]]) -> frozenset[str]:
    return frozenset.intersection(*map(frozenset, blanks)) if blanks else frozenset()


def _field_of_patient(element_id: str) -> str:
    """The place of a value about one patient: a column if there is one, else an element."""
    column = next((column for column, carried in FIELDS[_PATIENT].items() if carried == element_id), None)
    return column or f"elements.{element_id}"


def _outdated(chart: LoadedChart, patients: Sequence[uuid.UUID | None]) -> Iterator[Finding]:
    for patient_id in patients:
        entity, entity_id, field = _about(chart, patient_id, "nemsis_exports")
        yield Finding(
            severity=ReadinessSeverity.WARNING,
            code="export_outdated",
            message=f"The state has an older document of this {'call' if patient_id is None else 'patient'}: export it"
            " again.",
            entity=entity,
            entity_id=entity_id,
            field=field,
            patient_id=patient_id,
        )


def _mark_not_recorded(chart: LoadedChart, finding: Finding) -> Fix:
    """Lets the crew mark one blank element as Not Recorded, which the document would say anyway.

    The mark is stored at the incident or the patient that it is about, even if the value has a field elsewhere.
    """
    element_id = finding.rule or ""
    marked = {element_id: [{"not_value": NOT_RECORDED}]}
    if finding.patient_id is None:
        return chart.patch(_INCIDENT, chart.incident.id, elements=marked)
    return chart.patch(_PATIENT, finding.patient_id, elements=marked)


SUBMISSION = ReadinessSource(Stage.STATE_SUBMISSION, find_for_submission, (FixRule(BLANK, _mark_not_recorded),))
