"""Making claims of locked charts, and moving them along."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Depends

from app.billing.claims.background import read_backgrounds
from app.billing.claims.facts import CheckedClaim, check_claim, hold_claimed_chart
from app.billing.claims.lifecycle import (
    DECIDED,
    GUARDED,
    UNJUDGED,
    ClaimStatus,
    ClaimTransition,
    claim_lifecycle,
    consequences,
)
from app.billing.claims.models import Claim, ClaimLine, PayerSequence
from app.billing.claims.presentation import present
from app.billing.claims.repository import ClaimLineRepository, ClaimRepository, next_claim_number
from app.billing.claims.schemas import ClaimCreate, ClaimPatch, ClaimRead, ClaimTransitionRequest
from app.billing.claims.sending import close, submit
from app.billing.claims.submission import Served, service_date
from app.billing.edits.verdicts import keep_verdict
from app.billing.errors import ChartNotLocked, ClaimNotEditable
from app.billing.events import CLAIM_UPDATED
from app.billing.evidence.repository import DerivationRepository
from app.billing.evidence.staleness import find_stale
from app.billing.ledger.service import Charged, post_charges
from app.billing.medicare import member_number
from app.billing.permissions import CLAIM_RESTORE, CLAIM_WRITE
from app.coding.public import extract_icd10
from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.errors import AlreadyExists, ValidationFailed
from app.core.idempotency.creation import Creation
from app.core.pagination import Page, PagingWithDeleted
from app.core.repository import require_version
from app.core.tenants.public import Tenant, current_tenant
from app.ems.public import IncidentStatus, PatientRead, hold_incident, list_patients

_BEFORE = {
    PayerSequence.SECONDARY: PayerSequence.PRIMARY,
    PayerSequence.TERTIARY: PayerSequence.SECONDARY,
}
"""The payer sequence before each, which must have decided first."""


class ClaimAction(AuditAction):
    CREATED = "claim.created"
    REVISED = "claim.revised"
    DELETED = "claim.deleted"
    RESTORED = "claim.restored"
    LINES_CHANGED = "claim.lines_changed"
    DATED = "claim.dated"
    DRAFTED = "claim.drafted"
    DERIVED = "claim.derived"
    MARKED_STALE = "claim.marked_stale"
    MARKED_CURRENT = "claim.marked_current"
    DENIED_AGAIN = "claim.denied_again"


class LineAction(AuditAction):
    ADDED = "claim_line.added"
    REVISED = "claim_line.revised"
    REMOVED = "claim_line.removed"


def total_charge(charges: Iterable[Decimal]) -> Decimal:
    """CLM02: the sum of the lines' charges, with two decimals even when there are no lines."""
    return sum(charges, Decimal("0.00"))


def claim_defaults(profile: Tenant, given: ClaimCreate) -> dict[str, Any]:
    """The agency's defaults for the fields of a new claim that the client leaves out."""
    return {
        name: getattr(profile, f"default_{name}")
        for name in ("place_of_service", "accepts_assignment")
        if getattr(given, name) is None
    }


def require_editable(claim: Claim) -> None:
    """Raises ClaimNotEditable: an approved or sent claim cannot change."""
    if claim.status is not ClaimStatus.PENDING_REVIEW:
        raise ClaimNotEditable(status=claim.status.value)


class ClaimReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._claims = ClaimRepository(uow)
        self._lines = ClaimLineRepository(uow)

    async def get(self, claim_id: uuid.UUID) -> ClaimRead:
        """Raises NotFound."""
        return await self.present(await self._claims.get(self._uow.tenant_id, claim_id))

    async def list_page(self, paging: PagingWithDeleted, **filters: Any) -> Page[ClaimRead]:
        """Newest first. Raises Forbidden when deleted ones are asked for by anyone but an admin."""
        listed = self._claims.list_page
        if paging.include_deleted:
            self._uow.principal.require(CLAIM_RESTORE)
            listed = self._claims.list_including_deleted
        page = await listed(self._uow.tenant_id, paging, **filters)
        lines = await self._lines.list_of_claims(self._uow.tenant_id, [claim.id for claim in page.items])
        shown = [present(claim, lines[claim.id], self._uow.principal) for claim in page.items]
        return Page(items=shown, next_cursor=page.next_cursor)

    async def present(self, claim: Claim) -> ClaimRead:
        lines = await self._lines.list_of_claims(self._uow.tenant_id, [claim.id])
        return present(claim, lines[claim.id], self._uow.principal)


class ClaimService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._claims = ClaimRepository(uow)
        self._lines = ClaimLineRepository(uow)
        self._reader = ClaimReader(uow)

    async def create(self, given: ClaimCreate, creation: Creation) -> ClaimRead:
        """Create in `pending_review`.

        Raises NotFound (incident), ChartNotLocked, ValidationFailed (patient, payer sequence), AlreadyExists (the
        patient has a claim of this payer sequence).
        """
        self._uow.principal.require(CLAIM_WRITE)
        reservation = await creation.reserve(self._uow, given)
        if reservation.repeated:
            return await self._reader.get(reservation.entity_id)
        incident = await hold_incident(self._uow, given.incident_id)
        if incident.status is not IncidentStatus.LOCKED:
            raise ChartNotLocked(status=incident.status.value)
        profile, patients = await current_tenant(self._uow), await list_patients(self._uow, incident.id)
        patient = _patient_of(given, patients)
        served = Served(incident, patient, alone=len(patients) == 1)
        await self._require_turn(incident.id, patient.id, given.payer_sequence)
        claim = Claim(
            id=reservation.entity_id,
            tenant_id=self._uow.tenant_id,
            service_date=service_date(profile, served, given.lines),
            claim_number=await next_claim_number(self._uow),
            charge_amount=total_charge(line.charge for line in given.lines),
            **{
                **_stored(given.values()),
                **claim_defaults(profile, given),
                "patient_id": patient.id,
                "member_id": member_number(given.member_id, given.claim_filing_code),
            },
        )
        await self._uow.create(claim, ClaimAction.CREATED, event=CLAIM_UPDATED)
        lines = [
            ClaimLine(tenant_id=self._uow.tenant_id, claim_id=claim.id, line_number=number, **line.model_dump())
            for number, line in enumerate(given.lines, start=1)
        ]
        for line in lines:
            await self._uow.create(line, LineAction.ADDED)
        return present(claim, lines, self._uow.principal)

    async def revise(self, claim_id: uuid.UUID, patch: ClaimPatch) -> ClaimRead:
        """Raises NotFound, ClaimNotEditable, Conflict (stale)."""
        self._uow.principal.require(CLAIM_WRITE)
        claim = await self._claims.get(self._uow.tenant_id, claim_id)
        require_editable(claim)
        require_version(claim, patch.version)
        async with self._uow.change(claim, ClaimAction.REVISED, event=CLAIM_UPDATED):
            for name, value in _stored(patch.changes()).items():
                setattr(claim, name, value)
            claim.member_id = member_number(claim.member_id, claim.claim_filing_code)
        return await self._reader.present(claim)

    async def transition(self, claim_id: uuid.UUID, given: ClaimTransitionRequest) -> ClaimRead:
        """Raises NotFound, Forbidden, InvalidTransition, Conflict (stale), ValidationFailed."""
        checked: CheckedClaim | None = None
        if given.action in GUARDED:
            claim, checked = await self._judged(claim_id)
        else:
            claim = await self._claims.get_for_update(self._uow.tenant_id, claim_id)
        facts = UNJUDGED if checked is None else checked.facts
        claim_lifecycle.require(claim, given.action, self._uow.principal, facts, reason=given.reason)
        require_version(claim, given.version)
        if given.action is ClaimTransition.SUBMIT:
            await submit(self._uow, claim, reason=given.reason)
        elif given.action is ClaimTransition.CLOSE:
            await close(self._uow, claim, reason=given.reason)
        else:
            also = consequences(given.action, at=utcnow(), frequency=claim.frequency)
            await claim_lifecycle.fire(self._uow, claim, given.action, facts, reason=given.reason, **also)
        if checked is not None:
            await keep_verdict(self._uow, claim, checked.findings)
        return await self._reader.present(claim)

    async def delete(self, claim_id: uuid.UUID, version: int) -> None:
        """Soft delete. Raises Forbidden, NotFound, ClaimNotEditable, Conflict (stale)."""
        self._uow.principal.require(CLAIM_RESTORE)
        claim = await self._claims.get_for_update(self._uow.tenant_id, claim_id)
        require_editable(claim)
        require_version(claim, version)
        async with self._uow.change(claim, ClaimAction.DELETED, event=CLAIM_UPDATED):
            claim.deleted_at = utcnow()
        await post_charges(self._uow, [Charged(claim.id, claim.patient_id, {})])

    async def restore(self, claim_id: uuid.UUID, version: int) -> ClaimRead:
        """Raises Forbidden, NotFound, Conflict (stale; or another claim took its place)."""
        self._uow.principal.require(CLAIM_RESTORE)
        claim = await self._claims.get_including_deleted(self._uow.tenant_id, claim_id)
        require_version(claim, version)
        async with self._uow.change(claim, ClaimAction.RESTORED, event=CLAIM_UPDATED):
            claim.deleted_at = None
        return await self._reader.present(claim)

    async def _judged(self, claim_id: uuid.UUID) -> tuple[Claim, CheckedClaim]:
        """The locked claim. The incident is held first, as everywhere. So no two units of work wait for each other."""
        known = await self._claims.get(self._uow.tenant_id, claim_id)
        held = await hold_claimed_chart(self._uow, known.incident_id)
        claim = await self._claims.get_for_update(self._uow.tenant_id, claim_id)
        lines = await self._lines.list_of_claims(self._uow.tenant_id, [claim.id])
        profile, codes = await current_tenant(self._uow), await extract_icd10(self._uow, claim.diagnoses)
        derivations = await DerivationRepository(self._uow).list_of_claims(self._uow.tenant_id, [claim.id])
        stale = await find_stale(self._uow, derivations, {claim.incident_id: held.patients})
        background = (await read_backgrounds(self._uow, [claim], lines, derivations))[claim.id]
        at, changed = utcnow(), stale.get(claim.id, ())
        return claim, check_claim(profile, held, claim, lines[claim.id], at, codes, background, changed)

    async def _require_turn(self, incident_id: uuid.UUID, patient_id: uuid.UUID, sequence: PayerSequence) -> None:
        """Checks whose turn it is. Raises AlreadyExists for a second claim of one sequence, else ValidationFailed."""
        claims = await self._claims.list_all(self._uow.tenant_id, incident_id=incident_id)
        standing = {claim.payer_sequence: claim.status for claim in claims if claim.patient_id == patient_id}
        if sequence in standing:
            raise AlreadyExists(field="payer_sequence")
        before = _BEFORE.get(sequence)
        if before is not None and standing.get(before) not in DECIDED:
            raise ValidationFailed.of(
                "payer_sequence", "payer_before_undecided", "The payer before this one has not decided yet."
            )


def _patient_of(given: ClaimCreate, patients: Sequence[PatientRead]) -> PatientRead:
    """The patient that the request names, or the only patient. Raises ValidationFailed."""
    named = next((patient for patient in patients if patient.id == given.patient_id), None)
    if named is not None:
        return named
    if given.patient_id is not None or not patients:
        raise ValidationFailed.of("patient_id", "unknown_patient", "This incident has no such patient.")
    if len(patients) > 1:
        raise ValidationFailed.of("patient_id", "missing", "The incident has several patients: say which.")
    return patients[0]


def _stored(values: dict[str, Any]) -> dict[str, Any]:
    """Request values as columns. The first diagnosis is the principal one, and records become JSON."""
    columns = {name: value for name, value in values.items() if name not in ("lines", "patient_id")}
    if "diagnoses" in columns:
        columns["icd10_primary"] = next(iter(columns["diagnoses"]), None)
    for name in ("certifications", "accident"):
        if columns.get(name) is not None:
            columns[name] = columns[name].model_dump(mode="json")
    return columns


async def claim_service(uow: Uow) -> ClaimService:
    return ClaimService(uow)


async def claim_reader(uow: ReadUow) -> ClaimReader:
    return ClaimReader(uow)


Claims = Annotated[ClaimService, Depends(claim_service)]
ClaimReads = Annotated[ClaimReader, Depends(claim_reader)]
