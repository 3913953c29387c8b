"""What stands between a chart and the reviewer's `complete`, and what a reviewer would send it back for.

Saving and submitting never ask for completeness, so only the state machine's own guards block; the rest is a warning.
A rule is a function of the chart that yields findings.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from app.coding.public import ProcedureFault, RxNormExtract, RxNormFault, extract_rxnorm, procedure_fault
from app.core.config import Settings
from app.core.db.uow import ReadUnitOfWork
from app.ems.attachments.lifecycle import AttachmentStatus
from app.ems.crew.models import CrewMember
from app.ems.elements import TARGET_BUILD, load_dictionary
from app.ems.entries.kinds import ENTRY_KINDS
from app.ems.incidents.models import Incident
from app.ems.interventions.models import MEDICATION_COLUMNS, PROCEDURE_COLUMNS, Intervention
from app.ems.lifecycle import IncidentFacts, IncidentStatus, IncidentTransition, incident_lifecycle
from app.ems.narratives.models import Narrative
from app.ems.patient_charts import PatientChart
from app.ems.patients.models import Patient
from app.ems.readiness.port import (
    ChartAtHand,
    Finding,
    Fix,
    FixRule,
    ReadinessSource,
    Severity,
    Stage,
    StageJudgement,
)
from app.ems.service_date import service_date
from app.ems.vitals.models import Vital

_AHEAD = (IncidentStatus.DRAFT, IncidentStatus.IN_PROGRESS, IncidentStatus.READY_FOR_REVIEW)
_TIMES = tuple(name for name, element_id in Incident.element_columns.items() if element_id.startswith("eTimes."))
_OF_EVERY_CALL = ("dispatch_time", "enroute_time", "arrival_time", "cleared_time")
_OF_A_TRANSPORT = ("depart_scene_time", "arrived_destination_time")
_DISPOSITION, _NARRATIVE = "eDisposition.27", "eNarrative.01"
_CREW_ID, _CREW_ROLE = "eCrew.01", "eCrew.03"
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
_ENTITIES = {kind.path: kind.repository.entity.entity_type for kind in ENTRY_KINDS}

Rule = Callable[[ChartAtHand], Iterator[Finding]]


def _not_started(chart: ChartAtHand) -> Iterator[Finding]:
    if chart.incident.status is IncidentStatus.DRAFT:
        yield _of_incident(
            chart, Severity.BLOCKING, _NOT_STARTED, "status", "This chart is a draft: start it before you submit it."
        )


def _guards(chart: ChartAtHand) -> Iterator[Finding]:
    """What `complete` will refuse for, in its guards' own words."""
    complete = incident_lifecycle.find(IncidentStatus.READY_FOR_REVIEW, IncidentTransition.COMPLETE)
    facts = IncidentFacts(unattested=chart.unattested)
    for guard in () if complete is None else complete.guards:
        if not guard.holds(facts):
            yield _of_incident(chart, Severity.BLOCKING, guard.name, "signatures", guard.message)


def _patient(chart: ChartAtHand) -> Iterator[Finding]:
    if not chart.patients:
        yield _of_incident(chart, Severity.WARNING, "patient_missing", "patients", "This chart has no patient yet.")


def _crew(chart: ChartAtHand) -> Iterator[Finding]:
    """Who was there, and as what. A licence that is missing is the personnel file's to tell, not the chart's."""
    if chart.patients and not chart.crew:
        yield _of_incident(
            chart, Severity.WARNING, "crew_missing", "crew", "This chart does not say who was on the call.", _CREW_ID
        )
    for member in chart.crew:
        if member.response_roles is None and _CREW_ROLE not in member.elements:
            yield Finding(
                severity=Severity.WARNING,
                code="crew_role_missing",
                message=f"{_named(_CREW_ROLE)} is missing: who drove, who cared for the patient?",
                entity=CrewMember.entity_type,
                entity_id=member.id,
                field="response_roles",
                rule=_CREW_ROLE,
            )


def _times(chart: ChartAtHand) -> Iterator[Finding]:
    """Times without a value and without a reason for its absence, and those that lie before an earlier step's."""
    incident = chart.incident
    recorded = [name for name in _TIMES if getattr(incident, name) is not None]
    expected = {*_OF_EVERY_CALL, *(_OF_A_TRANSPORT if {*_OF_A_TRANSPORT} & {*recorded} else ())}
    for name in _TIMES:
        element_id = Incident.element_columns[name]
        if name in expected and name not in recorded and element_id not in incident.elements:
            message = f"{_named(element_id)} is missing."
            yield _of_incident(chart, Severity.WARNING, "time_missing", name, message, element_id)
    for earlier, later in pairwise(recorded):
        if getattr(incident, later) < getattr(incident, earlier):
            element_id = Incident.element_columns[later]
            message = f"{_named(element_id)} lies before {_named(Incident.element_columns[earlier])}: check both."
            yield _of_incident(chart, Severity.WARNING, "time_order", later, message, element_id)


def _disposition(chart: ChartAtHand) -> Iterator[Finding]:
    """The incident's stands for that of a sole patient."""
    sole = len(chart.patients) == 1
    for one in chart.patients:
        if _DISPOSITION in one.patient.elements or (sole and chart.incident.disposition is not None):
            continue
        message = f"{_named(_DISPOSITION)} is missing: how did the call end for this patient?"
        if sole:
            yield _of_incident(chart, Severity.WARNING, "disposition_missing", "disposition", message, _DISPOSITION)
        else:
            yield _of_patient(one, "disposition_missing", f"elements.{_DISPOSITION}", message, _DISPOSITION)


def _narrative(chart: ChartAtHand) -> Iterator[Finding]:
    for one in chart.patients:
        if any(narrative.narrative_text or _NARRATIVE in narrative.elements for narrative in one.narratives):
            continue
        message = "The narrative of this patient is missing."
        if one.narratives:
            yield Finding(
                severity=Severity.WARNING,
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


def _vitals(chart: ChartAtHand) -> Iterator[Finding]:
    for one in chart.patients:
        for vital in one.vitals:
            for warning in vital.warnings:
                yield Finding(
                    severity=Severity.WARNING,
                    code=warning.code,
                    message=warning.message,
                    entity=Vital.entity_type,
                    entity_id=vital.id,
                    field=warning.field,
                    patient_id=one.patient.id,
                    rule=Vital.element_columns.get(warning.field, warning.field.removeprefix("elements.")),
                )


def _comments(chart: ChartAtHand) -> Iterator[Finding]:
    for comment in chart.comments:
        yield Finding(
            severity=Severity.WARNING,
            code="comment_open",
            message="A reviewer asked for a correction here: make it, and resolve the comment.",
            entity=comment.entity,
            entity_id=comment.entity_id,
            field=comment.field,
        )


def _attachments(chart: ChartAtHand) -> Iterator[Finding]:
    yield from unfinished_uploads(chart.attachments, "attachments", AttachmentStatus.PENDING, AttachmentStatus.REJECTED)


def unfinished_uploads(entries: Any, path: str, pending: Any, rejected: Any) -> Iterator[Finding]:
    """Of one kind of upload, those whose content never arrived, or was thrown away."""
    said = {
        pending: ("upload_pending", "The content of this upload has not arrived: send it, or delete the entry."),
        rejected: ("upload_rejected", "The content of this upload was refused: send it anew, and delete this entry."),
    }
    for entry in entries:
        if entry.status in said:
            code, message = said[entry.status]
            yield Finding(
                severity=Severity.WARNING,
                code=code,
                message=message,
                entity=_ENTITIES[path],
                entity_id=entry.id,
                field="status",
                patient_id=entry.patient_id,
            )


def _procedures(chart: ChartAtHand) -> Iterator[Finding]:
    """Codes that no SNOMED CT concept has, and those that NEMSIS's list of procedures has replaced."""
    for one in chart.patients:
        for item in one.interventions:
            fault = None if item.procedure_code is None else procedure_fault(item.procedure_code)
            if fault is not None:
                yield Finding(
                    severity=Severity.WARNING,
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
    _comments,
    _attachments,
    _procedures,
)


async def judge_review(uow: ReadUnitOfWork, _: Settings, chart: ChartAtHand) -> StageJudgement:
    if chart.incident.status not in _AHEAD:
        return StageJudgement((), done=True)
    given = [item.rxcui for one in chart.patients for item in one.interventions if item.rxcui is not None]
    codes = await extract_rxnorm(uow, given)
    return StageJudgement([*(finding for rule in RULES for finding in rule(chart)), *_medications(chart, codes)])


def _medications(chart: ChartAtHand, codes: RxNormExtract) -> Iterator[Finding]:
    """Codes that RxNorm does not have in use on the date of service: what a reader of the chart looks up in vain."""
    served_on = service_date(chart.incident, chart.tenant.time_zone)
    if served_on is None:
        return
    for one in chart.patients:
        for item in one.interventions:
            fault = None if item.rxcui is None else codes.fault(item.rxcui, served_on)
            if fault is not None:
                yield Finding(
                    severity=Severity.WARNING,
                    code=fault.value,
                    message=_RXNORM_FAULTS[fault],
                    entity=Intervention.entity_type,
                    entity_id=item.id,
                    field="rxcui",
                    patient_id=one.patient.id,
                    rule=MEDICATION_COLUMNS["rxcui"],
                )


def _start(chart: ChartAtHand, _: Finding) -> Fix:
    return chart.fire(IncidentTransition.START)


REVIEW = ReadinessSource(Stage.REVIEW, judge_review, (FixRule(_NOT_STARTED, _start),))


def _of_incident(
    chart: ChartAtHand, severity: Severity, code: str, field: str, message: str, rule: str | None = None
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
        severity=Severity.WARNING,
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
