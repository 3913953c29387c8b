"""Reads a claim's ledger, and posts what people decide and what patients pay."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Annotated

from fastapi import Depends

from app.billing.claims.models import Claim
from app.billing.claims.repository import ClaimRepository
from app.billing.errors import OverBalance
from app.billing.ledger.accounts import Account, EntryKind
from app.billing.ledger.entries import ZERO, Entry, Standing
from app.billing.ledger.models import Cause, LedgerPosting
from app.billing.ledger.repository import EntryRepository
from app.billing.ledger.service import post
from app.billing.permissions import LEDGER_READ, LEDGER_WRITE
from app.billing.postings.schemas import AdjustmentCreate, AdjustmentKind, LedgerEntryRead, LedgerRead
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.errors import ValidationFailed
from app.core.idempotency.creation import Creation

_OF_A_RECEIVABLE = frozenset({AdjustmentKind.WRITE_OFF, AdjustmentKind.WRITE_OFF_REVERSAL})


class LedgerReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def get(self, claim_id: uuid.UUID) -> LedgerRead:
        """Raises NotFound, Forbidden."""
        self._uow.principal.require(LEDGER_READ)
        await ClaimRepository(self._uow).get(self._uow.tenant_id, claim_id)
        ledger = EntryRepository(self._uow)
        standing = await ledger.standing(self._uow.tenant_id, claim_id)
        entries = await ledger.list_of_claim(self._uow.tenant_id, claim_id)
        return LedgerRead(
            claim_id=claim_id,
            charged=-standing.balance(Account.CHARGES),
            outstanding=standing.outstanding(),
            balances=standing.balances(),
            entries=[LedgerEntryRead.model_validate(one) for one in entries],
        )


class PostingService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def adjust(self, claim_id: uuid.UUID, given: AdjustmentCreate, creation: Creation) -> LedgerRead:
        """Raises NotFound, Forbidden, ValidationFailed, OverBalance."""
        self._uow.principal.require(LEDGER_WRITE)
        reservation = await creation.reserve(self._uow, given)
        if not reservation.repeated:
            claim = await ClaimRepository(self._uow).get_for_update(self._uow.tenant_id, claim_id)
            standing = await EntryRepository(self._uow).standing(self._uow.tenant_id, claim_id)
            entry = _entry(given, standing)
            posting = _posting(self._uow, claim, Cause.PERSON, reservation.entity_id, reason=given.reason)
            await post(self._uow, posting, [entry])
        return await LedgerReader(self._uow).get(claim_id)


async def post_patient_payment(uow: UnitOfWork, claim_id: uuid.UUID, payment_id: uuid.UUID, amount: Decimal) -> None:
    """Money that a patient paid towards a claim. More than is owed becomes a credit. Posted again, it changes nothing.

    Raises NotFound (the claim).
    """
    await _post_patient(uow, claim_id, payment_id, amount, Cause.PATIENT_PAYMENT)


async def post_patient_refund(uow: UnitOfWork, claim_id: uuid.UUID, refund_id: uuid.UUID, amount: Decimal) -> None:
    """Money that a patient got back, or that was charged back. Posted again, it changes nothing. Raises NotFound."""
    await _post_patient(uow, claim_id, refund_id, -amount, Cause.PATIENT_REFUND)


async def _post_patient(
    uow: UnitOfWork, claim_id: uuid.UUID, payment_id: uuid.UUID, amount: Decimal, cause: Cause
) -> None:
    claim = await ClaimRepository(uow).get_for_update(uow.tenant_id, claim_id)
    if await EntryRepository(uow).is_posted(uow.tenant_id, payment_id, cause):
        return
    entry = Entry(EntryKind.PATIENT_PAYMENT, Account.PATIENT_CASH, Account.PATIENT, amount)
    await post(uow, _posting(uow, claim, cause, payment_id=payment_id), [entry])


def _posting(
    uow: UnitOfWork,
    claim: Claim,
    cause: Cause,
    posting_id: uuid.UUID | None = None,
    *,
    payment_id: uuid.UUID | None = None,
    reason: str | None = None,
) -> LedgerPosting:
    named = {} if posting_id is None else {"id": posting_id}
    return LedgerPosting(
        **named,
        tenant_id=uow.tenant_id,
        claim_id=claim.id,
        patient_id=claim.patient_id,
        cause=cause,
        payment_id=payment_id,
        reason=reason,
    )


def _entry(given: AdjustmentCreate, standing: Standing) -> Entry:
    """The entry of an adjustment that the balances allow. Raises ValidationFailed, OverBalance."""
    if (given.receivable is None) == (given.kind in _OF_A_RECEIVABLE):
        raise ValidationFailed.of("receivable", "only_write_off", "Name a receivable to write off, and only then.")
    if given.receivable is not None:
        owed = Account(given.receivable.value)
        if given.kind is AdjustmentKind.WRITE_OFF_REVERSAL:
            written_off = (one.amount for one in standing.of_kind(EntryKind.WRITE_OFF) if one.credit is owed)
            _require(sum(written_off, ZERO), given.amount)
            return Entry(EntryKind.WRITE_OFF, Account.WRITTEN_OFF, owed, -given.amount)
        _require(standing.balance(owed), given.amount)
        return Entry(EntryKind.WRITE_OFF, Account.WRITTEN_OFF, owed, given.amount)
    if given.kind is AdjustmentKind.REFUND:
        _require(-standing.balance(Account.PAYER), given.amount)
        return Entry(EntryKind.REFUND, Account.PAYER, Account.PAYER_CASH, given.amount)
    if standing.decided_for(Account.PAYER):
        raise ValidationFailed.of(
            "kind", "decided", "A payer has decided this claim: what it denied is not the patient's."
        )
    _require(standing.balance(Account.PAYER), given.amount)
    return Entry(EntryKind.SELF_PAY, Account.PATIENT, Account.PAYER, given.amount)


def _require(available: Decimal, amount: Decimal) -> None:
    """Raises OverBalance if there is less than `amount`."""
    if amount > available:
        raise OverBalance(available=str(max(available, ZERO)))


async def posting_service(uow: Uow) -> PostingService:
    return PostingService(uow)


async def ledger_reader(uow: ReadUow) -> LedgerReader:
    return LedgerReader(uow)


Postings = Annotated[PostingService, Depends(posting_service)]
LedgerReads = Annotated[LedgerReader, Depends(ledger_reader)]
