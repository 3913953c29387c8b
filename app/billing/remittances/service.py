"""Takes remittances in, from files and from paper; lists them; resolves what is held."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Depends

from app.billing.claims.models import ClaimLine
from app.billing.claims.repository import ClaimLineRepository, ClaimRepository
from app.billing.errors import NotPostable
from app.billing.ledger.accounts import Account, EntryKind
from app.billing.ledger.entries import Entry
from app.billing.ledger.models import Cause, LedgerPosting
from app.billing.ledger.service import post
from app.billing.permissions import REMITTANCE_WRITE
from app.billing.received.schemas import ReceivedFileRead
from app.billing.received.service import FileIntake, Incoming, Taken
from app.billing.remittances.lifecycle import (
    HoldReason,
    RemittanceClaimStatus,
    RemittanceClaimTransition,
    remittance_claim_lifecycle,
)
from app.billing.remittances.models import Remittance, RemittanceClaim, RemittanceSource
from app.billing.remittances.posting import CONTENT, POST_DECISIONS, DecisionPosting
from app.billing.remittances.reading import PaymentSummary, claims_of, only_sets, summaries
from app.billing.remittances.repository import Counts, RemittanceClaimRepository, RemittanceRepository
from app.billing.remittances.schemas import (
    RemittanceClaimRead,
    RemittanceClaimTransitionRequest,
    RemittanceCreate,
    RemittanceRead,
    RemittanceUploadRead,
    TakenFile,
    TypedAdjustment,
    TypedClaim,
)
from app.billing.x12.containers import FileKind
from app.billing.x12.remittance_advice import (
    REVERSAL,
    Adjustment,
    ClaimPayment,
    LinePayment,
    Procedure,
    ProviderAdjustment,
    RemittanceHeader,
    RemittanceTrailer,
    claim_imbalances,
    set_balances,
    total,
)
from app.core.audit.actions import AuditAction
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, RuntimeDependency, Uow, UowFactory
from app.core.errors import AlreadyExists, Problem, ValidationFailed, refuse
from app.core.idempotency.creation import Creation
from app.core.jobs.queue import enqueue
from app.core.pagination import Page, Paging
from app.core.permissions import Principal
from app.core.repository import require_version
from app.core.storage.gateway import ObjectStore
from app.core.tenants.public import current_tenant

INTEREST = "L6"


class RemittanceAction(AuditAction):
    RECEIVED = "remittance.received"


class RemittanceClaimAction(AuditAction):
    RECEIVED = "remittance_claim.received"


def present(remittance: Remittance, counts: Counts) -> RemittanceRead:
    named = {f"{status.value}_count": counts.get(status, 0) for status in RemittanceClaimStatus}
    return RemittanceRead.of(remittance, **named)


def present_decision(decision: RemittanceClaim, principal: Principal) -> RemittanceClaimRead:
    allowed = remittance_claim_lifecycle.allowed_actions(decision, principal)
    return RemittanceClaimRead.of(decision, allowed_actions=allowed)


class RemittanceReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._remittances = RemittanceRepository(uow)
        self._decisions = RemittanceClaimRepository(uow)

    async def get(self, remittance_id: uuid.UUID) -> RemittanceRead:
        """Raises NotFound."""
        [shown] = await self._presented([await self._remittances.get(self._uow.tenant_id, remittance_id)])
        return shown

    async def list_page(self, paging: Paging, **filters: Any) -> Page[RemittanceRead]:
        page = await self._remittances.list_page(self._uow.tenant_id, paging, **filters)
        return Page(items=await self._presented(page.items), next_cursor=page.next_cursor)

    async def get_decision(self, decision_id: uuid.UUID) -> RemittanceClaimRead:
        """Raises NotFound."""
        return present_decision(await self._decisions.get(self._uow.tenant_id, decision_id), self._uow.principal)

    async def list_decisions(self, paging: Paging, **filters: Any) -> Page[RemittanceClaimRead]:
        page = await self._decisions.list_page(self._uow.tenant_id, paging, **filters)
        shown = [present_decision(decision, self._uow.principal) for decision in page.items]
        return Page(items=shown, next_cursor=page.next_cursor)

    async def _presented(self, remittances: Sequence[Remittance]) -> list[RemittanceRead]:
        counts = await self._decisions.count_by_status(self._uow.tenant_id, [one.id for one in remittances])
        return [present(one, counts[one.id]) for one in remittances]


class RemittanceUploads:
    """Takes files. Those of other agencies' payments in them leave no trace but a count."""

    def __init__(self, units: Callable[[], UnitOfWork], objects: ObjectStore) -> None:
        self._intake: FileIntake[list[PaymentSummary]] = FileIntake(
            units,
            objects,
            permission=REMITTANCE_WRITE,
            read=summaries,
            others=frozenset(FileKind) - {FileKind.REMITTANCE, FileKind.UNKNOWN},
        )

    async def take(self, content: bytes) -> RemittanceUploadRead:
        """Store every payment that is new, and have it posted. Raises Forbidden, UnreadableFile, WrongFile,
        ServiceUnavailable. A file that cannot be read in full is refused whole."""
        new: defaultdict[uuid.UUID, list[RemittanceRead]] = defaultdict(list)
        repeated: defaultdict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)

        async def effect(uow: UnitOfWork, taken: Taken[list[PaymentSummary]]) -> None:
            if taken.incoming is None:
                return
            added, known = await _record_file(uow, taken.incoming)
            new[taken.file.id] += await RemittanceReader(uow)._presented(added)
            repeated[taken.file.id] += known

        taken = await self._intake.take(content, _screen, effect)
        return RemittanceUploadRead(
            files=[
                TakenFile(
                    file=ReceivedFileRead.of(one.file),
                    repeated=one.incoming is None,
                    remittances=new[one.file.id],
                    repeated_remittance_ids=repeated[one.file.id],
                )
                for one in taken
            ]
        )


async def _screen(uow: UnitOfWork, incoming: Incoming[list[PaymentSummary]]) -> None:
    """Leaves out what was paid to others, and counts it."""
    tenant = await current_tenant(uow)
    tax_id = None if tenant.ein is None else tenant.ein.replace("-", "")
    ours = frozenset(at for at, one in enumerate(incoming.said) if one.is_paid_to(tenant.npi, tax_id))
    foreign: defaultdict[str | None, int] = defaultdict(int)
    for at, one in enumerate(incoming.said):
        if at not in ours:
            foreign[one.header.payee_npi] += 1
    incoming.foreign_payees = [{"npi": npi, "payments": payments} for npi, payments in foreign.items()]
    if foreign:
        incoming.kept = only_sets(incoming.content, ours) if ours else None
        incoming.said = [one for at, one in enumerate(incoming.said) if at in ours]


async def _record_file(
    uow: UnitOfWork, incoming: Incoming[list[PaymentSummary]]
) -> tuple[list[Remittance], list[uuid.UUID]]:
    """The remittances of a file that are new, and the ids of those that are known. Claims are read one at a time."""
    added: list[Remittance] = []
    known: list[uuid.UUID] = []
    by_set: dict[int, Remittance] = {}
    for at, said in enumerate(incoming.said):
        earlier = await _find(uow, said.header)
        if earlier is None:
            by_set[at] = await _record(uow, said.header, said.trailer, file_id=incoming.id, set_number=at + 1)
            added.append(by_set[at])
        else:
            known.append(earlier.id)
    if incoming.kept is not None and by_set:
        for at, claim in claims_of(incoming.kept):
            if at in by_set:
                await _record_claim(uow, by_set[at], claim)
        await enqueue(uow, POST_DECISIONS, {"source_id": incoming.id})
    return added, known


async def _find(uow: ReadUnitOfWork, header: RemittanceHeader) -> Remittance | None:
    return await RemittanceRepository(uow).find_payment(
        uow.tenant_id,
        payer_identifier=header.payer_identifier,
        trace_number=header.trace_number,
        paid_on=header.paid_on,
        amount=header.amount,
        control_number=header.control_number,
    )


async def _record(
    uow: UnitOfWork,
    header: RemittanceHeader,
    trailer: RemittanceTrailer,
    *,
    file_id: uuid.UUID | None,
    set_number: int = 1,
    remittance_id: uuid.UUID | None = None,
) -> Remittance:
    """Stores a payment, and what the payer adjusted for the agency as a whole if the payment balances."""
    named = {} if remittance_id is None else {"id": remittance_id}
    remittance = Remittance(
        **named,
        tenant_id=uow.tenant_id,
        file_id=file_id,
        set_number=set_number,
        source=RemittanceSource.PAPER if file_id is None else RemittanceSource.ERA,
        payer_identifier=header.payer_identifier,
        payer_name=header.payer_name,
        trace_number=header.trace_number,
        control_number=header.control_number,
        handling=header.handling,
        method=header.method,
        paid_on=header.paid_on,
        amount=header.amount,
        claim_count=trailer.claims,
        balanced=set_balances(header, trailer),
        provider_adjustments=[_as_json(one) for one in trailer.provider_adjustments],
    )
    await uow.create(remittance, RemittanceAction.RECEIVED)
    if remittance.balanced and trailer.provider_adjustments:
        posting = LedgerPosting(tenant_id=uow.tenant_id, cause=Cause.PROVIDER_ADJUSTMENT, remittance_id=remittance.id)
        await post(uow, posting, [_provider_entry(one) for one in trailer.provider_adjustments])
    return remittance


async def _record_claim(uow: UnitOfWork, remittance: Remittance, claim: ClaimPayment) -> None:
    decision = RemittanceClaim(
        tenant_id=uow.tenant_id,
        remittance_id=remittance.id,
        position=claim.position,
        claim_number=claim.claim_number,
        payer_status=claim.status,
        payer_control_number=claim.payer_control_number,
        charge_amount=claim.charge,
        paid_amount=claim.paid,
        content=CONTENT.dump_python(claim, mode="json"),
    )
    await uow.create(decision, RemittanceClaimAction.RECEIVED)


def _provider_entry(one: ProviderAdjustment) -> Entry:
    """A positive adjustment makes the payment smaller; interest is money that the payer adds."""
    interest = one.reason == INTEREST
    kind = EntryKind.INTEREST if interest else EntryKind.PROVIDER_ADJUSTMENT
    credit = Account.INTEREST if interest else Account.PAYER_BALANCES
    return Entry(kind, Account.PAYER_CASH, credit, -one.amount, reason_code=one.reason)


def _as_json(one: ProviderAdjustment) -> dict[str, Any]:
    end = one.fiscal_period_end
    return {**asdict(one), "amount": str(one.amount), "fiscal_period_end": None if end is None else end.isoformat()}


class RemittanceService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._claims = ClaimRepository(uow)
        self._decisions = RemittanceClaimRepository(uow)

    async def create(self, given: RemittanceCreate, creation: Creation) -> RemittanceRead:
        """A remittance on paper. Raises Forbidden, ValidationFailed (claims, lines, balance), AlreadyExists."""
        self._uow.principal.require(REMITTANCE_WRITE)
        reservation = await creation.reserve(self._uow, given)
        if not reservation.repeated:
            await self._create(given, reservation.entity_id)
        return await RemittanceReader(self._uow).get(reservation.entity_id)

    async def _create(self, given: RemittanceCreate, remittance_id: uuid.UUID) -> None:
        said = await self._said(given.claims)
        adjustments = tuple(
            ProviderAdjustment(one.reason, one.amount, one.reference) for one in given.provider_adjustments
        )
        header = RemittanceHeader(
            control_number="PAPER",
            handling="I",
            amount=given.amount,
            method=given.method,
            paid_on=given.paid_on,
            trace_number=given.trace_number,
            payer_identifier=given.payer_identifier or given.payer_name,
            payer_name=given.payer_name,
            payee_npi=None,
            payee_tax_id=None,
        )
        trailer = RemittanceTrailer(len(said), total(claim.paid for claim in said), adjustments)
        if not set_balances(header, trailer):
            message = "The amount must be what the claims were paid, less the provider adjustments."
            raise ValidationFailed.of("amount", HoldReason.SET_UNBALANCED, message)
        if await _find(self._uow, header) is not None:
            raise AlreadyExists(field="trace_number")
        remittance = await _record(self._uow, header, trailer, file_id=None, remittance_id=remittance_id)
        for claim in said:
            await _record_claim(self._uow, remittance, claim)
        await enqueue(self._uow, POST_DECISIONS, {"source_id": remittance.id})

    async def transition(self, decision_id: uuid.UUID, given: RemittanceClaimTransitionRequest) -> RemittanceClaimRead:
        """Resolve or set aside what is held. Raises NotFound, Forbidden, InvalidTransition, Conflict (stale),
        ValidationFailed, NotPostable (it fits no better than before)."""
        decision = await self._decisions.get_for_update(self._uow.tenant_id, decision_id)
        principal = self._uow.principal
        remittance_claim_lifecycle.require(decision, given.action, principal, None, reason=given.reason)
        require_version(decision, given.version)
        resolving = given.action is RemittanceClaimTransition.RESOLVE
        if not resolving and (given.claim_id is not None or given.lines):
            raise ValidationFailed.of("claim_id", "not_resolving", "claim_id and lines belong to `resolve`.")
        also = await self._resolved(decision, given) if resolving else {}
        await remittance_claim_lifecycle.fire(self._uow, decision, given.action, None, reason=given.reason, **also)
        return present_decision(decision, principal)

    async def _resolved(self, decision: RemittanceClaim, given: RemittanceClaimTransitionRequest) -> dict[str, Any]:
        """Posts a held decision by the same rules, with the matches that the person made."""
        remittance = await RemittanceRepository(self._uow).get(self._uow.tenant_id, decision.remittance_id)
        if not remittance.balanced:
            raise NotPostable(reason=HoldReason.SET_UNBALANCED)
        if given.claim_id is not None:
            claim = await self._claims.find_for_update(self._uow.tenant_id, given.claim_id)
            if claim is None:
                raise ValidationFailed.of("claim_id", "unknown_reference", "There is no such claim.")
        else:
            claim = await self._claims.find_by_number_for_update(self._uow.tenant_id, decision.claim_number)
        posting = DecisionPosting(self._uow)
        matches = {one.position - 1: one.line_id for one in given.lines}
        judged = await posting.judged(decision, claim, matches, by_person=True)
        if claim is None or isinstance(judged, HoldReason):
            raise NotPostable(reason=judged if isinstance(judged, HoldReason) else HoldReason.UNKNOWN_CLAIM)
        await posting.apply(decision, remittance, claim, judged, reason=given.reason)
        return {"claim_id": claim.id}

    async def _said(self, claims: Sequence[TypedClaim]) -> list[ClaimPayment]:
        """What the paper says, in the form of an 835. Raises ValidationFailed naming each figure that does not fit."""
        ids = [one.claim_id for one in claims]
        known = {claim.id: claim for claim in await self._claims.list_by_ids(self._uow.tenant_id, ids)}
        lines = await ClaimLineRepository(self._uow).list_of_claims(self._uow.tenant_id, ids)
        problems: list[Problem] = []
        said: list[ClaimPayment] = []
        for at, typed in enumerate(claims):
            claim, of_claim = known.get(typed.claim_id), {line.id: line for line in lines[typed.claim_id]}
            if claim is None:
                problems.append(Problem(f"claims[{at}].claim_id", "unknown_reference", "There is no such claim."))
                continue
            unknown = [
                Problem(f"claims[{at}].lines[{line_at}].line_id", "unknown_reference", "The claim has no such line.")
                for line_at, line in enumerate(typed.lines)
                if line.line_id not in of_claim
            ]
            problems += unknown
            if not unknown:
                said.append(_typed_claim(at + 1, claim.claim_number, typed, of_claim))
                problems += _misfits(said[-1], claim.charge_amount, f"claims[{at}]")
        refuse(problems)
        return said


def _typed_claim(
    position: int, claim_number: str, typed: TypedClaim, lines: dict[uuid.UUID, ClaimLine]
) -> ClaimPayment:
    sign = -1 if typed.payer_status == REVERSAL else 1
    said = tuple(
        LinePayment(
            procedure=Procedure(lines[one.line_id].hcpcs, tuple(lines[one.line_id].modifiers)),
            charge=sign * lines[one.line_id].charge,
            paid=one.paid,
            control_number=f"{claim_number}-{lines[one.line_id].line_number}",
            adjustments=_adjustments(one.adjustments),
            remarks=tuple(one.remarks),
        )
        for one in typed.lines
    )
    of_claim = _adjustments(typed.adjustments)
    return ClaimPayment(
        position=position,
        claim_number=claim_number,
        status=typed.payer_status,
        charge=total(line.charge for line in said),
        paid=total(line.paid for line in said) - total(one.amount for one in of_claim),
        payer_control_number=typed.payer_control_number,
        adjustments=of_claim,
        lines=said,
        crossed_over=typed.payer_status in ("19", "20", "21"),
    )


def _misfits(said: ClaimPayment, charge: Decimal, field: str) -> Iterator[Problem]:
    """What is typed wrongly. It would be held for ever, and its trace number would be taken."""
    for one in claim_imbalances(said):
        yield Problem(field, one.value, "Charge, payment and adjustments of the claim and of each line must agree.")
    if not said.is_reversal and said.charge != charge:
        yield Problem(field, HoldReason.CHARGE_DIFFERS, "Name every line of the claim once.")


def _adjustments(typed: Iterable[TypedAdjustment]) -> tuple[Adjustment, ...]:
    return tuple(Adjustment(one.group, one.reason, Decimal(one.amount)) for one in typed)


async def remittance_service(uow: Uow) -> RemittanceService:
    return RemittanceService(uow)


async def remittance_reader(uow: ReadUow) -> RemittanceReader:
    return RemittanceReader(uow)


async def remittance_uploads(runtime: RuntimeDependency, units: UowFactory) -> RemittanceUploads:
    return RemittanceUploads(units, runtime.objects)


Remittances = Annotated[RemittanceService, Depends(remittance_service)]
RemittanceReads = Annotated[RemittanceReader, Depends(remittance_reader)]
Uploads = Annotated[RemittanceUploads, Depends(remittance_uploads)]
