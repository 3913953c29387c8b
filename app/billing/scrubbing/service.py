"""Judges claims by the edits: for who asks, and whenever a claim or its chart changed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends

from app.billing.claims.background import read_backgrounds
from app.billing.claims.facts import CheckedClaim, HeldChart, check_claim
from app.billing.claims.lifecycle import claim_lifecycle
from app.billing.claims.models import Claim
from app.billing.claims.repository import ClaimLineRepository, ClaimRepository
from app.billing.edits.book import EDIT_BY_ID
from app.billing.edits.declaration import Edit, EditSeverity
from app.billing.edits.repository import KeptVerdict, ScrubRepository
from app.billing.edits.scrubber import EditFinding
from app.billing.edits.verdicts import keep_verdict
from app.billing.evidence.repository import DerivationRepository
from app.billing.permissions import CLAIM_CLINICAL
from app.billing.scrubbing.schemas import EditFindingRead, EditOffer, ScrubRead
from app.coding.public import extract_icd10
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow
from app.core.errors import NotFound
from app.core.tenants.public import current_tenant
from app.ems.public import get_incident, get_patient_charts, hold_incident, list_signatures


def is_judged(claim: Claim) -> bool:
    """True if a transition that checks the claim lies before it."""
    return any(step.guards and claim.status in step.sources for step in claim_lifecycle.transitions)


class ScrubReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def get(self, claim_id: uuid.UUID) -> ScrubRead:
        """What the edits find now; of a claim that went out, the last verdict. Raises Forbidden, NotFound."""
        self._uow.principal.require(CLAIM_CLINICAL)
        claim = await ClaimRepository(self._uow).get(self._uow.tenant_id, claim_id)
        if not is_judged(claim):
            kept = (await ScrubRepository(self._uow).latest(self._uow.tenant_id, [claim.id])).get(claim.id)
            if kept is not None:
                return _kept(claim, kept)
        incident = await get_incident(self._uow, claim.incident_id)
        held = HeldChart(
            incident,
            await get_patient_charts(self._uow, incident.id),
            await list_signatures(self._uow, incident.id),
        )
        findings = (await _judge(self._uow, held, [claim]))[claim.id].findings
        blocking = sum(found.is_blocking for found in findings)
        return ScrubRead(
            claim_id=claim.id,
            claim_version=claim.version,
            scrubbed_at=utcnow(),
            blocking=blocking,
            warnings=len(findings) - blocking,
            findings=[_found(one) for one in findings],
        )


async def scrub_claims(uow: UnitOfWork, incident_id: uuid.UUID) -> None:
    """Judges the claims of a call that a transition still checks, and keeps the verdicts.

    The number of statements grows with the claims that have another verdict now, and with nothing else.
    """
    claims = [
        claim
        for claim in await ClaimRepository(uow).list_all(uow.tenant_id, incident_id=incident_id)
        if is_judged(claim)
    ]
    if not claims:
        return
    try:
        incident = await hold_incident(uow, incident_id)
    except NotFound:  # the chart itself was deleted
        return
    charts = await get_patient_charts(uow, incident_id)
    held = HeldChart(incident, charts, await list_signatures(uow, incident_id))
    checked = await _judge(uow, held, claims)
    for claim in claims:
        await keep_verdict(uow, claim, checked[claim.id].findings)


async def _judge(uow: ReadUnitOfWork, held: HeldChart, claims: Sequence[Claim]) -> dict[uuid.UUID, CheckedClaim]:
    """The claims of one call."""
    lines = await ClaimLineRepository(uow).list_of_claims(uow.tenant_id, [claim.id for claim in claims])
    profile, at = await current_tenant(uow), utcnow()
    codes = await extract_icd10(uow, [diagnosis for claim in claims for diagnosis in claim.diagnoses])
    derivations = await DerivationRepository(uow).list_of_claims(uow.tenant_id, [claim.id for claim in claims])
    backgrounds = await read_backgrounds(uow, claims, lines, derivations)
    return {
        claim.id: check_claim(profile, held, claim, lines[claim.id], at, codes, backgrounds[claim.id])
        for claim in claims
    }


def _found(one: EditFinding) -> EditFindingRead:
    offer = None if one.offer is None else EditOffer(**one.offer._asdict())
    return _read(one.edit, one.severity, one.field, one.code, one.message, offer)


def _kept(claim: Claim, kept: KeptVerdict) -> ScrubRead:
    findings = [
        _read(EDIT_BY_ID[one["edit"]], EditSeverity(one["severity"]), one["field"], one["code"], one["message"], None)
        for one in kept.findings
        if one["edit"] in EDIT_BY_ID
    ]
    blocking = sum(one.severity is EditSeverity.BLOCKING for one in findings)
    return ScrubRead(
        claim_id=claim.id,
        claim_version=kept.claim_version,
        scrubbed_at=kept.judged_at,
        blocking=blocking,
        warnings=len(findings) - blocking,
        findings=findings,
    )


def _read(
    edit: Edit, severity: EditSeverity, field: str, code: str, message: str, offer: EditOffer | None
) -> EditFindingRead:
    return EditFindingRead(
        id=edit.id,
        severity=severity,
        field=field,
        code=code,
        message=message,
        what=edit.what,
        why=edit.why,
        source=edit.source,
        fix=edit.fix,
        offer=offer,
    )


async def scrub_reader(uow: ReadUow) -> ScrubReader:
    return ScrubReader(uow)


Scrubs = Annotated[ScrubReader, Depends(scrub_reader)]
