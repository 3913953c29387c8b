"""Findings before review: what refuses the reviewer's `complete`, and what a reviewer would return a chart for.

Saving and submitting never ask for completeness. So only the state machine's own guards block, and the rest are
warnings. A rule is a function of the chart that yields findings.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from app.coding.public import ProcedureFault, RxNormExtract, RxNormFault, extract_rxnorm, procedure_fault
from app.core.clock import utcnow
from app.core.config import Settings
from app.core.db.uow import ReadUnitOfWork
from app.ems.attachments.lifecycle import AttachmentStatus
from app.ems.attachments.models import Attachment
from app.ems.call_kinds import CallKind, Need, kind_of, needs_of
from app.ems.crew.models import CrewMember
from app.ems.elements import TARGET_BUILD, load_dictionary
from app.ems.incidents.models import Incident
from app.ems.interventions.models import MEDICATION_COLUMNS, PROCEDURE_COLUMNS, Intervention
from app.ems.lifecycle import SETTLED, IncidentFacts, IncidentStatus, IncidentTransition, incident_lifecycle
from app.ems.narratives.models import Narrative
from app.ems.patient_charts import PatientChart
from app.ems.patient_facts import says_itself, time_of
from app.ems.patients.models import Patient
from app.ems.plausibility.judging import doubts_of
from app.ems.readiness.port import (
    Finding,
    Fix,
    FixRule,
    LoadedChart,
    ReadinessSeverity,
    ReadinessSource,
    Stage,
    StageFindings,
)
from app.ems.service_date import service_date
from app.ems.vitals.models import Vital

_BEFORE_COMPLETION = (IncidentStatus.DRAFT, IncidentStatus.IN_PROGRESS, IncidentStatus.READY_FOR_REVIEW)
_TIMES = tuple(name for name, element_id in Incident.element_columns.items() if element_id.startswith("eTimes."))
_OF_EVERY_CALL = ("dispatch_time", "enroute_time", "cleared_time")
_OF_AN_ARRIVAL = "arrival_time"
_OF_A_TRANSPORT = ("depart_scene_time", "arrived_destination_time")
_DISPOSITION, _NARRATIVE, _VITALS = "eDisposition.27", "eNarrative.01", "eVitals.01"
_CREW_ID, _CREW_ROLE = "eCrew.01", "eCrew.03"
_VITAL_ELEMENTS = {**Vital.element_columns, "etco2_unit": Vital.element_columns["etco2"]}
_NOT_STARTED = "not_started"
_RXNORM_FAULTS = {
    RxNormFault.UNKNOWN: "RxNorm has no such code: was it mistyped?",
    RxNormFault.RETIRED: "RxNorm no longer had this code on the day of the call: choose the medication anew.",
    RxNormFault.SUPPRESSED: "RxNorm suppresses this code: choose the medication anew.",
}
_PROCEDURE_FAULTS = {
    ProcedureFault.UNKNOWN: "SNOMED CT can have no such code: was it mistyped?",
    ProcedureFault.REPLACED: "NEMSIS's list of procedures has another code for this: choose the procedure anew.",
}

Rule = Callable[[LoadedChart], Iterator[Finding]]


def _not_started(chart: LoadedChart) -> Iterator[Finding]:
    if chart.incident.status is IncidentStatus.DRAFT:
        yield _of_incident(
            chart,
            ReadinessSeverity.BLOCKING,
            _NOT_STARTED,
            "status",
            "This chart is a draft: start it before you submit it.",
        )


def _guards(chart: LoadedChart) -> Iterator[Finding]:
    """The guards of `complete` that would refuse, in their own words."""
    complete = incident_lifecycle.find(IncidentStatus.READY_FOR_REVIEW, IncidentTransition.COMPLETE)
    facts = IncidentFacts(lacks_crew_signature=chart.lacks_crew_signature, late_entries=chart.late_entries)
    for guard in () if complete is None else complete.guards:
        if not guard.holds(facts):
            field = "late_entries" if guard is SETTLED else "signatures"
            yield _of_incident(chart, ReadinessSeverity.BLOCKING, guard.name, field, guard.message)


def _patient(chart: LoadedChart) -> Iterator[Finding]:
    if not chart.patients and Need.PATIENT in needs_of(chart.call):
        yield _of_incident(
            chart, ReadinessSeverity.WARNING, "patient_missing", "patients", "This chart has no patient yet."
        )


def _crew(chart: LoadedChart) -> Iterator[Finding]:
    """A crew that is missing, or has no role. A missing licence is a gap of the personnel file, not of the chart."""
    if not chart.crew:
        yield _of_incident(
            chart,
            ReadinessSeverity.WARNING,
            "crew_missing",
            "crew",
            "This chart does not say who was on the call.",
            _CREW_ID,
        )
    for member in chart.crew:
        if member.response_roles is None and _CREW_ROLE not in member.elements:
            yield Finding(
                severity=ReadinessSeverity.WARNING,
                code="crew_role_missing",
                message=f"{_named(_CREW_ROLE)} is missing: who drove, who cared for the patient?",
                entity=CrewMember.entity_type,
                entity_id=member.id,
                field="response_roles",
                rule=_CREW_ROLE,
            )


def _times(chart: LoadedChart) -> Iterator[Finding]:
    """Times without a value and without a reason for its absence, and those that lie before an earlier step's."""
    incident = chart.incident
    recorded = [name for name in _TIMES if getattr(incident, name) is not None]
    expected = {*_OF_EVERY_CALL, *(name for one in chart.by_kind for name in _times_due(chart, one))}
    for name in _TIMES:
        element_id = Incident.element_columns[name]
        if name in expected and name not in recorded and element_id not in incident.elements:
            message = f"{_named(element_id)} is missing."
            yield _of_incident(chart, ReadinessSeverity.WARNING, "time_missing", name, message, element_id)
    for earlier, later in pairwise(recorded):
        if getattr(incident, later) < getattr(incident, earlier):
            element_id = Incident.element_columns[later]
            message = f"{_named(element_id)} lies before {_named(Incident.element_columns[earlier])}: check both."
            yield _of_incident(chart, ReadinessSeverity.WARNING, "time_order", later, message, element_id)


def _times_due(chart: LoadedChart, one: PatientChart) -> Iterator[str]:
    """The times, beside those of every call, that this patient's kind of call needs of the incident.

    A patient's own time will do, too. Without a disposition, one time of a transport tells that there was one.
    """
    needed = needs_of(one)
    if Need.ARRIVAL_TIME in needed:
        yield _OF_AN_ARRIVAL
    began = any(getattr(chart.incident, name) is not None for name in _OF_A_TRANSPORT)
    if Need.TRANSPORT_TIMES in needed or (began and kind_of(one) is CallKind.UNSAID):
        for name in _OF_A_TRANSPORT:
            if time_of(one, name) is None and not says_itself(one.patient, Incident.element_columns[name]):
                yield name


def _disposition(chart: LoadedChart) -> Iterator[Finding]:
    """Patients without a disposition, if the incident, which stands for each of them, has none either."""
    sole = len(chart.by_kind) == 1
    for one in chart.by_kind:
        if _DISPOSITION in one.patient.elements or chart.incident.disposition is not None:
            continue
        whom = "" if one.of_call else " for this patient"
        message = f"{_named(_DISPOSITION)} is missing: how did the call end{whom}?"
        if sole:
            yield _of_incident(
                chart, ReadinessSeverity.WARNING, "disposition_missing", "disposition", message, _DISPOSITION
            )
        else:
            yield _of_patient(one, "disposition_missing", f"elements.{_DISPOSITION}", message, _DISPOSITION)


def _narrative(chart: LoadedChart) -> Iterator[Finding]:
    for story in chart.call.narratives if len(chart.patients) > 1 else ():
        yield Finding(
            severity=ReadinessSeverity.WARNING,
            code="narrative_of_nobody",
            message="This narrative names no patient, so it is in no document: move it to the patient it is about.",
            entity=Narrative.entity_type,
            entity_id=story.id,
            field="patient_id",
            rule=_NARRATIVE,
        )
    for one in chart.patients:
        if Need.NARRATIVE not in needs_of(one) or any(
            narrative.narrative_text or _NARRATIVE in narrative.elements for narrative in one.narratives
        ):
            continue
        message = "The narrative of this patient is missing."
        if one.narratives:
            yield Finding(
                severity=ReadinessSeverity.WARNING,
                code="narrative_missing",
                message=message,
                entity=Narrative.entity_type,
                entity_id=one.narratives[0].id,
                field="narrative_text",
                patient_id=one.patient.id,
                rule=_NARRATIVE,
            )
        else:
            yield _of_patient(one, "narrative_missing", "narratives", message, _NARRATIVE)


def _vitals(chart: LoadedChart) -> Iterator[Finding]:
    for one in chart.patients:
        if Need.VITAL_SIGNS in needs_of(one) and not one.vitals:
            message = "No vital signs of this patient are recorded, nor why there are none."
            yield _of_patient(one, "vitals_missing", "vitals", message, _VITALS)
        for vital in one.vitals:
            for warning in vital.warnings:
                yield Finding(
                    severity=ReadinessSeverity.WARNING,
                    code=warning.code,
                    message=warning.message,
                    entity=Vital.entity_type,
                    entity_id=vital.id,
                    field=warning.field,
                    patient_id=one.patient.id,
                    rule=_VITAL_ELEMENTS.get(warning.field, warning.field.removeprefix("elements.")),
                )


def _doubts(chart: LoadedChart) -> Iterator[Finding]:
    """What is implausible. The guard of `complete` refuses for what blocks."""
    for doubt in doubts_of(chart.incident, chart.patients, chart.tenant.time_zone, utcnow()):
        yield Finding(
            severity=ReadinessSeverity.BLOCKING if doubt.blocking else ReadinessSeverity.WARNING,
            code=doubt.code,
            message=doubt.message,
            entity=doubt.entity,
            entity_id=doubt.entity_id,
            field=doubt.field,
            patient_id=doubt.patient_id,
            rule=doubt.rule,
        )


def _comments(chart: LoadedChart) -> Iterator[Finding]:
    for comment in chart.comments:
        yield Finding(
            severity=ReadinessSeverity.WARNING,
            code="comment_open",
            message="A reviewer asked for a correction here: make it, and resolve the comment.",
            entity=comment.entity,
            entity_id=comment.entity_id,
            field=comment.field,
        )


def _attachments(chart: LoadedChart) -> Iterator[Finding]:
    yield from unfinished_uploads(
        chart.attachments, Attachment.entity_type, AttachmentStatus.PENDING, AttachmentStatus.REJECTED
    )


def unfinished_uploads(entries: Any, entity: str, pending: Any, rejected: Any) -> Iterator[Finding]:
    """Uploads of one kind whose content never arrived, or was thrown away."""
    said = {
        pending: ("upload_pending", "The content of this upload has not arrived: send it, or delete the entry."),
        rejected: ("upload_rejected", "The content of this upload was refused: send it anew, and delete this entry."),
    }
    for entry in entries:
        if entry.status in said:
            code, message = said[entry.status]
            yield Finding(
                severity=ReadinessSeverity.WARNING,
                code=code,
                message=message,
                entity=entity,
                entity_id=entry.id,
                field="status",
                patient_id=entry.patient_id,
            )


def _procedures(chart: LoadedChart) -> Iterator[Finding]:
    """Codes that no SNOMED CT concept has, and those that NEMSIS's list of procedures has replaced."""
    for one in chart.patients:
        for item in one.interventions:
            fault = None if item.procedure_code is None else procedure_fault(item.procedure_code)
            if fault is not None:
                yield Finding(
                    severity=ReadinessSeverity.WARNING,
                    code=fault.value,
                    message=_PROCEDURE_FAULTS[fault],
                    entity=Intervention.entity_type,
                    entity_id=item.id,
                    field="procedure_code",
                    patient_id=one.patient.id,
                    rule=PROCEDURE_COLUMNS["procedure_code"],
                )


RULES: tuple[Rule, ...] = (
    _not_started,
    _guards,
    _patient,
    _crew,
    _times,
    _disposition,
    _narrative,
    _vitals,
    _doubts,
    _comments,
    _attachments,
    _procedures,
)


async def find_for_review(uow: ReadUnitOfWork, _: Settings, chart: LoadedChart) -> StageFindings:
    if chart.incident.status not in _BEFORE_COMPLETION:
        return StageFindings((), done=True)
    given = [item.rxcui for one in chart.patients for item in one.interventions if item.rxcui is not None]
    codes = await extract_rxnorm(uow, given)
    return StageFindings([*(finding for rule in RULES for finding in rule(chart)), *_medications(chart, codes)])


def _medications(chart: LoadedChart, codes: RxNormExtract) -> Iterator[Finding]:
    """Medications whose code RxNorm did not have in use on the date of service."""
    served_on = service_date(chart.incident, chart.tenant.time_zone)
    if served_on is None:
        return
    for one in chart.patients:
        for item in one.interventions:
            fault = None if item.rxcui is None else codes.fault(item.rxcui, served_on)
            if fault is not None:
                yield Finding(
                    severity=ReadinessSeverity.WARNING,
                    code=fault.value,
                    message=_RXNORM_FAULTS[fault],
                    entity=Intervention.entity_type,
                    entity_id=item.id,
                    field="rxcui",
                    patient_id=one.patient.id,
                    rule=MEDICATION_COLUMNS["rxcui"],
                )


def _start(chart: LoadedChart, _: Finding) -> Fix:
    return chart.fire(IncidentTransition.START)


REVIEW = ReadinessSource(Stage.REVIEW, find_for_review, (FixRule(_NOT_STARTED, _start),))


def _of_incident(
    chart: LoadedChart, severity: ReadinessSeverity, code: str, field: str, message: str, rule: str | None = None
) -> Finding:
    return Finding(
        severity=severity,
        code=code,
        message=message,
        entity=Incident.entity_type,
        entity_id=chart.incident.id,
        field=field,
        rule=rule,
    )


def _of_patient(one: PatientChart, code: str, field: str, message: str, rule: str) -> Finding:
    patient_id: uuid.UUID = one.patient.id
    return Finding(
        severity=ReadinessSeverity.WARNING,
        code=code,
        message=message,
        entity=Patient.entity_type,
        entity_id=patient_id,
        field=field,
        patient_id=patient_id,
        rule=rule,
    )


def _named(element_id: str) -> str:
    return load_dictionary(TARGET_BUILD).elements[element_id].name
