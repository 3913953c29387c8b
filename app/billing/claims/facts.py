"""The facts that the guards of approval and export judge by. They are read from the chart."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from app.billing.claims.content import draft_submission
from app.billing.claims.lifecycle import ClaimFacts
from app.billing.claims.models import Claim, ClaimLine
from app.billing.claims.submission import service_date
from app.billing.edits.background import Background
from app.billing.edits.scrubber import EditFinding, attributed, scrub
from app.billing.edits.view import ClaimView
from app.billing.x12.professional_claim import ClaimSubmission
from app.coding.public import CodeFault, Icd10Extract
from app.core.db.uow import ReadUnitOfWork
from app.core.errors import Problem
from app.core.tenants.public import Tenant
from app.ems.public import (
    IncidentRead,
    IncidentStatus,
    PatientChart,
    SignatureRead,
    SignatureStatus,
    StatementCode,
    get_patient_charts,
    get_patient_charts_of_many,
    hold_incident,
    hold_incidents,
    list_signatures,
    list_signatures_of_many,
)

CODE_FAULTS = {
    CodeFault.UNKNOWN: "This is no ICD-10-CM code.",
    CodeFault.NOT_IN_FORCE: "This ICD-10-CM code was not in force on the date of service.",
    CodeFault.NOT_BILLABLE: "This ICD-10-CM code is a heading: a more specific code below it is needed.",
}


class HeldChart(NamedTuple):
    incident: IncidentRead
    patients: list[PatientChart]
    signatures: list[SignatureRead]


class CheckedClaim(NamedTuple):
    """`submission` is None when the claim's patient is gone from the chart. `findings` are those of all edits."""

    facts: ClaimFacts
    submission: ClaimSubmission | None
    findings: tuple[EditFinding, ...]


async def hold_claimed_chart(uow: ReadUnitOfWork, incident_id: uuid.UUID) -> HeldChart:
    """Keeps the incident's state: a locked chart does not change until the unit of work ends. Raises NotFound."""
    incident = await hold_incident(uow, incident_id)
    charts = await get_patient_charts(uow, incident_id)
    return HeldChart(incident, charts, await list_signatures(uow, incident_id))


async def hold_claimed_charts(uow: ReadUnitOfWork, incident_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, HeldChart]:
    """The same as `hold_claimed_chart` for several incidents. The number of statements does not depend on theirs."""
    incidents = await hold_incidents(uow, sorted(set(incident_ids)))
    charts = await get_patient_charts_of_many(uow, list(incidents.values()))
    signatures = await list_signatures_of_many(uow, list(incidents.values()))
    return {
        incident_id: HeldChart(incident, charts[incident_id], signatures[incident_id])
        for incident_id, incident in incidents.items()
    }


_STALE = Problem("derivation", "stale", "The chart was amended under the claim's derived values.")


def check_claim(
    profile: Tenant,
    held: HeldChart,
    claim: Claim,
    lines: Sequence[ClaimLine],
    at: dt.datetime,
    codes: Icd10Extract,
    background: Background,
    stale: Sequence[Problem] = (),
) -> CheckedClaim:
    """The facts of a claim for a file made at `at`, by all claim edits. `codes` covers its diagnoses.

    `stale` are the charted fields under it that changed, as just compared with the chart. A claim that is marked stale
    is so without them, too.
    """
    stale = stale or ([] if claim.stale_since is None else [_STALE])
    locked = held.incident.status is IncidentStatus.LOCKED
    chart = next((chart for chart in held.patients if chart.patient.id == claim.patient_id), None)
    if chart is None:
        gone = Problem("patient_id", "unknown_patient", "The chart no longer has this patient.")
        return CheckedClaim(_facts(locked, [attributed(gone)], stale), None, (attributed(gone),))
    draft = draft_submission(profile, chart, claim, lines, at)
    served_on = service_date(profile, chart, lines)
    problems = (
        *draft.problems,
        *(() if served_on is None else _code_problems(claim, served_on, codes)),
        *_outdated_assignment(claim, held.signatures),
    )
    view = ClaimView(
        profile=profile,
        chart=chart,
        signatures=held.signatures,
        claim=claim,
        lines=lines,
        problems=problems,
        background=background,
        served_on=served_on,
        at=at,
    )
    findings = scrub(view)
    return CheckedClaim(_facts(locked, findings, stale), draft.submission, findings)


def _facts(locked: bool, findings: Sequence[EditFinding], stale: Sequence[Problem]) -> ClaimFacts:
    blocking = [found for found in findings if found.is_blocking]
    return ClaimFacts(
        locked,
        problems=tuple(found.problem for found in blocking if found.structural),
        refusals=tuple(found.problem for found in blocking if not found.structural),
        stale=tuple(stale),
    )


def _code_problems(claim: Claim, served_on: dt.date, codes: Icd10Extract) -> Iterator[Problem]:
    """Diagnoses that ICD-10-CM does not allow on the date of service (45 CFR 162.1002)."""
    for at, diagnosis in enumerate(claim.diagnoses):
        fault = codes.fault(diagnosis, served_on)
        if fault is not None:
            yield Problem(f"diagnoses[{at}]", fault.value, CODE_FAULTS[fault])


def _outdated_assignment(claim: Claim, signatures: Sequence[SignatureRead]) -> list[Problem]:
    """A problem if the claim says "signature on file" and the chart's own signatures no longer cover the chart.

    Without one in the chart, the claim may mean paper. 42 CFR 424.36 wants the beneficiary's signature. A signature
    under another name or another incident number is not theirs.
    """
    assignments = [
        signature
        for signature in signatures
        if signature.statement_code is StatementCode.ASSIGNMENT_OF_BENEFITS
        and signature.status is SignatureStatus.SIGNED
        and signature.patient_id == claim.patient_id
    ]
    if not claim.signature_on_file or not assignments or any(one.covers_current_chart for one in assignments):
        return []
    message = "The assignment of benefits no longer covers the chart: the patient or the incident number changed."
    return [Problem("signature_on_file", "outdated", message)]
