"""The one door through which entries enter the ledger."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from decimal import Decimal

from app.billing.events import LEDGER_POSTED
from app.billing.ledger.accounts import Account, EntryKind
from app.billing.ledger.entries import Entry, charge_changes
from app.billing.ledger.models import Cause, LedgerPosting
from app.billing.ledger.repository import EntryRepository
from app.core.audit.actions import AuditAction
from app.core.db.uow import UnitOfWork


class LedgerAction(AuditAction):
    POSTED = "ledger_posting.posted"


async def post(uow: UnitOfWork, posting: LedgerPosting, entries: Sequence[Entry]) -> None:
    """Stores a posting with its entries, audits it and publishes `ledger.posted`. Entries of nothing are left out.

    A cause that was posted before violates a unique key.
    """
    await uow.create(posting, LedgerAction.POSTED, event=LEDGER_POSTED)
    moving = [entry for entry in entries if entry.amount]
    if moving:
        await EntryRepository(uow).add(uow.tenant_id, posting.id, posting.claim_id, moving)


async def post_charges(
    uow: UnitOfWork, *, claim_id: uuid.UUID, patient_id: uuid.UUID, charges: dict[uuid.UUID, Decimal]
) -> None:
    """Makes the ledger's charges those of the claim's lines, and a payer's again if they were the patient's.

    Nothing is posted if they are so. The claim must be locked.
    """
    standing = await EntryRepository(uow).standing(uow.tenant_id, claim_id)
    self_pay = [one.taken_back() for one in standing.entries() if one.kind is EntryKind.SELF_PAY]
    entries = [*charge_changes(standing, charges), *self_pay]
    if entries:
        posting = LedgerPosting(
            tenant_id=uow.tenant_id, claim_id=claim_id, patient_id=patient_id, cause=Cause.SUBMISSION
        )
        await post(uow, posting, entries)


async def post_self_pay(uow: UnitOfWork, *, claim_id: uuid.UUID, patient_id: uuid.UUID) -> None:
    """Makes what a payer would owe the patient's. The claim must be locked."""
    owed = (await EntryRepository(uow).standing(uow.tenant_id, claim_id)).balance(Account.PAYER)
    posting = LedgerPosting(tenant_id=uow.tenant_id, claim_id=claim_id, patient_id=patient_id, cause=Cause.SELF_PAY)
    await post(uow, posting, [Entry(EntryKind.SELF_PAY, Account.PATIENT, Account.PAYER, owed)])
