"""Findings about signatures: a missing attestation, outdated ones, and images that never arrived."""

from __future__ import annotations

from collections.abc import Iterator

from app.core.config import Settings
from app.core.db.uow import ReadUnitOfWork
from app.core.permissions import Permission
from app.ems.call_kinds import Need, needs_of
from app.ems.incidents.models import Incident
from app.ems.lifecycle import IncidentStatus
from app.ems.patients.models import Patient
from app.ems.permissions import CHART_WRITE
from app.ems.readiness.port import Finding, LoadedChart, ReadinessSeverity, ReadinessSource, Stage, StageFindings
from app.ems.readiness.review import unfinished_uploads
from app.ems.signatures.lifecycle import SignatureStatus
from app.ems.signatures.models import Signature, SignerRole, StatementCode
from app.ems.signatures.schemas import SignatureRead

_REFUSERS = frozenset({SignerRole.PATIENT, SignerRole.GUARDIAN})
_RULES = {StatementCode.ASSIGNMENT_OF_BENEFITS: "42 CFR 424.36"}


async def find_for_signatures(_: ReadUnitOfWork, __: Settings, chart: LoadedChart) -> StageFindings:
    """Findings of the stage `signature`, which is done when the chart is locked: it takes no signatures then.

    Only `complete` refuses for a signature, so nothing blocks a chart that is completed already.
    """
    if chart.incident.status is IncidentStatus.LOCKED:
        return StageFindings((), done=True)
    return StageFindings([*_attestation(chart), *_refusals(chart), *_outdated(chart), *_unfinished(chart)])


def _attestation(chart: LoadedChart) -> Iterator[Finding]:
    if chart.lacks_crew_signature:
        completed = chart.incident.status is IncidentStatus.COMPLETED
        yield Finding(
            severity=ReadinessSeverity.WARNING if completed else ReadinessSeverity.BLOCKING,
            code="attestation_missing",
            message="No crew attestation covers the whole chart as it stands: the crew must sign.",
            entity=Incident.entity_type,
            entity_id=chart.incident.id,
            field="signatures",
            permission=_signers(chart),
        )


def _refusals(chart: LoadedChart) -> Iterator[Finding]:
    """Refusals that nobody signed, or that no witness signed. A witness alone signs for one who will not."""
    for one in chart.patients:
        if Need.REFUSAL_SIGNATURE not in needs_of(one):
            continue
        signers = {
            signature.signer_role
            for signature in chart.signatures
            if signature.statement_code is StatementCode.REFUSAL
            and signature.patient_id == one.patient.id
            and signature.status is SignatureStatus.SIGNED
        }
        if SignerRole.WITNESS in signers:
            continue
        if signers & _REFUSERS:
            code, message = "witness_missing", "No witness signed this refusal."
        else:
            code = "refusal_missing"
            message = (
                "The refusal is not signed: the patient or a guardian signs it, and a witness. If the patient will not"
                " sign, the witness signs alone."
            )
        yield Finding(
            severity=ReadinessSeverity.WARNING,
            code=code,
            message=message,
            entity=Patient.entity_type,
            entity_id=one.patient.id,
            field="signatures",
            patient_id=one.patient.id,
            permission=_signers(chart),
        )


def _outdated(chart: LoadedChart) -> Iterator[Finding]:
    """Signatures whose content has changed since.

    One that another signature of the same statement, or of the whole chart, replaces is no finding.
    """
    covered = {
        (one.statement_code, _is_witness(one), one.patient_id) for one in chart.signatures if one.covers_current_chart
    }
    for signature in chart.signatures:
        kind = signature.statement_code, _is_witness(signature)
        same = {(*kind, patient_id) for patient_id in (signature.patient_id, None)}
        if signature.status is SignatureStatus.SIGNED and not same & covered:
            yield Finding(
                severity=ReadinessSeverity.WARNING,
                code="signature_outdated",
                message="What was signed here has changed since: ask for a new signature.",
                entity=Signature.entity_type,
                entity_id=signature.id,
                field="changed_since",
                patient_id=signature.patient_id,
                rule=_RULES.get(signature.statement_code),
                permission=_signers(chart),
            )


def _is_witness(signature: SignatureRead) -> bool:
    """A witness replaces nobody's signature but another witness's."""
    return signature.signer_role is SignerRole.WITNESS


def _signers(chart: LoadedChart) -> Permission | None:
    """The permission to sign a completed chart. Before completion signing is a change of the chart: None."""
    return CHART_WRITE if chart.incident.status is IncidentStatus.COMPLETED else None


def _unfinished(chart: LoadedChart) -> Iterator[Finding]:
    yield from unfinished_uploads(
        chart.signatures, Signature.entity_type, SignatureStatus.PENDING, SignatureStatus.REJECTED
    )


SIGNATURES = ReadinessSource(Stage.SIGNATURE, find_for_signatures)
