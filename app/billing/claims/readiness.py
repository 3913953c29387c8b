"""Readiness of a chart for its payer: what `approve` (or the export of an approved claim) would refuse now.

For a patient without a claim, the rules judge a stand-in claim. Only problems of the chart and the agency count.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from app.billing.claims.background import read_backgrounds
from app.billing.claims.content import draft_submission, words_of
from app.billing.claims.facts import CODE_FAULTS, HeldChart, check_claim
from app.billing.claims.lifecycle import ClaimFacts, ClaimStatus, ClaimTransition, claim_lifecycle
from app.billing.claims.models import Claim, ClaimLine
from app.billing.claims.repository import ClaimLineRepository, ClaimRepository
from app.billing.claims.submission import service_date
from app.billing.edits.background import Background
from app.billing.evidence.repository import DerivationRepository
from app.billing.permissions import CLAIM_WRITE
from app.coding.public import Icd10Extract, extract_icd10
from app.core.clock import utcnow
from app.core.config import Settings
from app.core.db.uow import ReadUnitOfWork
from app.core.errors import Problem
from app.core.ids import TenantId
from app.core.lifecycle import Transition
from app.core.paths import API_PREFIX
from app.core.permissions import Permission
from app.core.tenants.public import TENANT_WRITE, Tenant
from app.ems.public import (
    Finding,
    Fix,
    FixRule,
    IncidentStatus,
    LoadedChart,
    Need,
    PatientChart,
    ReadinessSeverity,
    ReadinessSource,
    Stage,
    StageFindings,
    StatementCode,
    needs_of,
    not_due,
    step_towards,
)

_CLAIMS = f"{API_PREFIX}/billing/claims"
_CLAIM, _PATIENT, _INCIDENT, _TENANT = Claim.entity_type, "patient", "incident", Tenant.entity_type
_MISSING, _SIGNATURE_ON_FILE = "missing", "signature_on_file"
_SIGNATURE_RULE, _CODE_SET_RULE = "42 CFR 424.36", "45 CFR 162.1002"
_IMPRESSIONS = ("eSituation.11", "eSituation.12")
_SOURCES: Mapping[str, str] = {
    "tenant.submitter": "ISA06, 1000A NM109",
    "tenant.receiver": "ISA08, 1000B NM1",
    "tenant.billing_contact_name": "1000A PER02",
    "tenant.phone": "1000A PER04",
    "tenant.pay_to": "2010AB N3, N4",
    "tenant.npi": "2010AA NM109",
    "tenant.ein": "2010AA REF*EI",
    "tenant.taxonomy": "2000A PRV03",
    "tenant.legal_name": "2010AA NM103",
    "tenant.": "2010AA N3, N4",
    "patient.home": "2010BA N3, N4",
    "patient.date_of_birth": "2010BA DMG02",
    "patient.gender": "2010BA DMG03",
    "patient.destination_name": "2310F NM103",
    "patient.destination": "2310F N3, N4",
    "patient.depart_scene_time": "2400 DTP*472",
    "patient.elements.eDisposition.30": "2400 DTP*472",
    "patient.": "2010BA NM1",
    "incident.location": "2310E N3, N4",
    "incident.": "2400 DTP*472",
    "member_id": "2010BA NM109",
    "payer_name": "2010BB NM103",
    "payer_id": "2010BB NM109",
    "claim_filing_code": "2000B SBR09",
    "group_number": "2000B SBR03",
    "diagnoses": _CODE_SET_RULE,
    _SIGNATURE_ON_FILE: _SIGNATURE_RULE,
    "payer_sequence": "2000B SBR01",
    "insurance_type": "2000B SBR05",
    "subscriber.relationship": "2000C PAT01",
    "subscriber.": "2010BA NM1",
    "claim_number": "2300 CLM01",
    "charge_amount": "2300 CLM02",
    "patient_count": "2400 QTY*PT",
    "place_of_service": "2300 CLM05",
    "frequency": "2300 CLM05",
    "payer_claim_control_number": "2300 REF*F8",
    "prior_authorization": "2300 REF*G1",
    "accident": "2300 CLM11",
    "certifications": "2300 CRC*07",
    "lines": "2400 SV1",
    "transport_reason": "2300 CR104",
    "loaded_miles": "2300 CR106",
    "weight_lb": "2300 CR102",
    "round_trip_purpose": "2300 CR109",
    "stretcher_purpose": "2300 CR110",
}
"""The place of a field in an 837P (ASC X12 005010X222A1), or its regulation. The longest matching beginning counts."""

Step = Transition[ClaimStatus, ClaimFacts]


class _Waiting(NamedTuple):
    """A claim, its lines, and the next transition that has guards."""

    claim: Claim
    lines: Sequence[ClaimLine]
    step: Step


async def find_for_payment(uow: ReadUnitOfWork, _: Settings, chart: LoadedChart) -> StageFindings:
    """Done when every patient that is billed has a claim, and no claim waits for a check.

    Not due while there is no claim and nobody is billed, by how the call ended for each patient. A claim may still be
    made by hand.
    """
    claims = await ClaimRepository(uow).list_all(uow.tenant_id, incident_id=chart.incident.id)
    lines = await ClaimLineRepository(uow).list_of_claims(uow.tenant_id, [claim.id for claim in claims])
    waiting = [_Waiting(claim, lines[claim.id], step) for claim in claims if (step := _guarded_step(claim.status))]
    claimed = {claim.patient_id for claim in claims}
    billed = [one for one in chart.by_kind if Need.CLAIM in needs_of(one)]
    unclaimed = [one for one in billed if one.patient_id is not None and one.patient_id not in claimed]
    if claims and not waiting and not unclaimed:
        return StageFindings((), done=True)
    if not claims and not billed:
        return StageFindings((), not_due=_why_nobody_is_billed(chart))
    impressions = {one.patient.id: _impressions(one, sole=len(chart.patients) == 1) for one in unclaimed}
    named = [code for codes in impressions.values() for code in codes]
    codes = await extract_icd10(uow, [*named, *(code for one in waiting for code in one.claim.diagnoses)])
    judged = [one.claim for one in waiting]
    backgrounds: Mapping[uuid.UUID, Background] = {}
    if judged:
        derivations = await DerivationRepository(uow).list_of_claims(uow.tenant_id, [claim.id for claim in judged])
        backgrounds = await read_backgrounds(uow, judged, lines, derivations)
    found = [*_chart_locked(chart), *_patient(chart)]
    for one in waiting:
        found += _claim(chart, one, codes, backgrounds[one.claim.id])
    for patient in unclaimed:
        found += _unclaimed(chart, patient, impressions[patient.patient.id], codes)
    return StageFindings(found)


def _why_nobody_is_billed(chart: LoadedChart) -> str:
    reasons = (said.reason for one in chart.by_kind for said in not_due(one) if said.need is Need.CLAIM)
    return " ".join(dict.fromkeys(reasons))


def _guarded_step(status: ClaimStatus) -> Step | None:
    """The next transition that checks the claim. None for a claim that went out or will not be sent."""
    return next((step for step in claim_lifecycle.transitions if status in step.sources and step.guards), None)


def _chart_locked(chart: LoadedChart) -> Iterator[Finding]:
    """The guards about the chart's state that every claim has and this chart does not pass."""
    approve = claim_lifecycle.find(ClaimStatus.PENDING_REVIEW, ClaimTransition.APPROVE)
    facts = ClaimFacts(chart_locked=chart.incident.status is IncidentStatus.LOCKED)
    for guard in () if approve is None else approve.guards:
        if not guard.holds(facts):
            yield _finding(
                (_INCIDENT, chart.incident.id, "status"),
                guard.name,
                guard.message,
                permission=step_towards(chart.incident.status, lambda state: state is IncidentStatus.LOCKED).permission,
            )


def _patient(chart: LoadedChart) -> Iterator[Finding]:
    if not chart.patients:
        place = (_INCIDENT, chart.incident.id, "patients")
        yield _finding(place, "patient_missing", "Without a patient there is nobody to bill for.")


def _claim(chart: LoadedChart, one: _Waiting, codes: Icd10Extract, background: Background) -> Iterator[Finding]:
    """What the guards of the next step refuse, and what the claim edits only warn of."""
    held = HeldChart(chart.incident, list(chart.patients), list(chart.signatures))
    checked = check_claim(chart.tenant, held, one.claim, one.lines, utcnow(), codes, background)
    sources = {(found.field, found.code): found.edit.source for found in checked.findings if not found.structural}
    patient_id = one.claim.patient_id
    for guard in one.step.guards:
        if guard.explain is not None and not guard.holds(checked.facts):
            for problem in guard.explain(checked.facts):
                rule = sources.get((problem.field, problem.code))
                yield _problem(chart, patient_id, problem, one.claim, rule=rule)
    for found in checked.findings:
        if not found.is_blocking:
            yield _problem(
                chart,
                patient_id,
                found.problem,
                one.claim,
                rule=found.edit.source,
                severity=ReadinessSeverity.WARNING,
            )


def _unclaimed(
    chart: LoadedChart, one: PatientChart, codes_named: Sequence[str], codes: Icd10Extract
) -> Iterator[Finding]:
    patient_id, locked = one.patient.id, chart.incident.status is IncidentStatus.LOCKED
    if locked:
        place = (_PATIENT, patient_id, "claim")
        yield _finding(
            place, "claim_missing", "No claim was made for this patient.", patient_id, permission=CLAIM_WRITE
        )
    claim, line = _stand_in(one)
    for problem in draft_submission(chart.tenant, one, claim, [line], utcnow()).problems:
        if problem.field.partition(".")[0] in (_INCIDENT, _PATIENT, _TENANT):
            yield _problem(chart, patient_id, problem, None)
    served_on = service_date(chart.tenant, one, [line])
    if served_on is not None:
        yield from _impression_faults(chart, one, codes_named, served_on, codes)
    if not locked and not _is_assigned(chart, patient_id):
        yield _finding(
            (_PATIENT, patient_id, "signatures"),
            "assignment_missing",
            "No assignment of benefits covers this patient: have it signed, or keep it on paper.",
            patient_id,
            severity=ReadinessSeverity.WARNING,
            rule=_SIGNATURE_RULE,
        )


def _impressions(one: PatientChart, *, sole: bool) -> list[str]:
    """ICD-10-CM codes that the chart offers as diagnoses."""
    charted = [one.incident.primary_impression] if sole else []
    for element_id in _IMPRESSIONS:
        charted += [entry.get("value") for entry in one.patient.elements.get(element_id, ())]
    return [code for code in charted if code is not None]


def _impression_faults(
    chart: LoadedChart, one: PatientChart, named: Sequence[str], served_on: dt.date, codes: Icd10Extract
) -> Iterator[Finding]:
    """Warnings about the chart's diagnoses. They do not block: the maker of the claim may choose other diagnoses."""
    for code in named:
        fault = codes.fault(code, served_on)
        if fault is None:
            continue
        of_incident = code == one.incident.primary_impression and len(chart.patients) == 1
        element_id = next((name for name in _IMPRESSIONS if _holds(one, name, code)), _IMPRESSIONS[0])
        place = (
            (_INCIDENT, chart.incident.id, "primary_impression")
            if of_incident
            else (_PATIENT, one.patient.id, f"elements.{element_id}")
        )
        yield _finding(
            place,
            fault.value,
            CODE_FAULTS[fault],
            one.patient.id,
            severity=ReadinessSeverity.WARNING,
            rule=_CODE_SET_RULE,
        )


def _holds(one: PatientChart, element_id: str, code: str) -> bool:
    return any(entry.get("value") == code for entry in one.patient.elements.get(element_id, ()))


def _is_assigned(chart: LoadedChart, patient_id: uuid.UUID) -> bool:
    return any(
        one.statement_code is StatementCode.ASSIGNMENT_OF_BENEFITS
        and one.patient_id == patient_id
        and one.covers_current_chart
        for one in chart.signatures
    )


def _problem(
    chart: LoadedChart,
    patient_id: uuid.UUID,
    problem: Problem,
    claim: Claim | None,
    *,
    rule: str | None = None,
    severity: ReadinessSeverity = ReadinessSeverity.BLOCKING,
) -> Finding:
    """A problem as a finding. Its field begins with the owner's name, unless the claim owns it.

    Without a `rule`, the field's place in an 837P is the source.
    """
    owner, _, name = problem.field.partition(".")
    permission: Permission | None = None
    about: uuid.UUID | None = patient_id
    match owner:
        case "patient":
            place = (_PATIENT, patient_id, name)
        case "incident":
            place, about = (_INCIDENT, chart.incident.id, name), None
        case "tenant":
            place, about, permission = (_TENANT, chart.tenant.id, name), None, TENANT_WRITE
        case _ if claim is not None:
            place, permission = (_CLAIM, claim.id, problem.field), CLAIM_WRITE
        case _:
            raise AssertionError("what a claim itself lacks is found where there is one")
    missing = problem.code == _MISSING and place[0] != _CLAIM
    return _finding(
        place,
        problem.code,
        f"{words_of(problem.field)} is missing: a claim needs it." if missing else problem.message,
        about,
        severity=severity,
        rule=rule or _source_of(problem.field),
        permission=permission,
        version=None if claim is None or place[0] != _CLAIM else claim.version,
    )


def _source_of(field: str) -> str | None:
    beginnings = [beginning for beginning in _SOURCES if field.startswith(beginning)]
    return _SOURCES[max(beginnings, key=len)] if beginnings else None


def _finding(
    place: tuple[str, uuid.UUID, str],
    code: str,
    message: str,
    patient_id: uuid.UUID | None = None,
    *,
    severity: ReadinessSeverity = ReadinessSeverity.BLOCKING,
    rule: str | None = None,
    permission: Permission | None = None,
    version: int | None = None,
) -> Finding:
    entity, entity_id, field = place
    return Finding(
        severity=severity,
        code=code,
        message=message,
        entity=entity,
        entity_id=entity_id,
        field=field,
        patient_id=patient_id,
        rule=rule,
        permission=permission,
        version=version,
    )


def _stand_in(one: PatientChart) -> tuple[Claim, ClaimLine]:
    """A claim without faults of its own. So all problems are the chart's or the agency's."""
    tenant_id = TenantId(uuid.UUID(int=0))
    claim = Claim(
        tenant_id=tenant_id,
        incident_id=one.incident.id,
        patient_id=one.patient.id,
        claim_number="C0",
        payer_name="PAYER",
        payer_id="00000",
        claim_filing_code="ZZ",
        member_id="00",
        icd10_primary="R69",
        diagnoses=["R69"],
        charge_amount=Decimal(1),
        place_of_service="41",
        loaded_miles=Decimal(1),
        transport_reason="A",
        certifications={"yes": [], "no": []},
        signature_on_file=True,
    )
    line = ClaimLine(
        tenant_id=tenant_id,
        claim_id=claim.id,
        line_number=1,
        hcpcs="A0429",
        modifiers=["RH"],
        units=Decimal(1),
        charge=Decimal(1),
        diagnosis_pointers=[1],
    )
    return claim, line


def _sign_on_file(chart: LoadedChart, finding: Finding) -> Fix | None:
    """Sets "signature on file" if the chart holds an assignment that still covers the patient (42 CFR 424.36)."""
    if finding.patient_id is None or not _is_assigned(chart, finding.patient_id):
        return None
    body = {"version": finding.version, _SIGNATURE_ON_FILE: True}
    return Fix("PATCH", f"{_CLAIMS}/{finding.entity_id}", body)


PAYMENT = ReadinessSource(
    Stage.PAYMENT, find_for_payment, (FixRule(_MISSING, _sign_on_file, field=_SIGNATURE_ON_FILE),)
)
