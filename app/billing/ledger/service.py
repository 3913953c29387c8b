"""The one door through which entries enter the ledger."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from app.billing.events import LEDGER_POSTED
from app.billing.ledger.accounts import Account, EntryKind
from app.billing.ledger.entries import Entry, charge_changes
from app.billing.ledger.models import Cause, LedgerPosting
from app.billing.ledger.repository import EntryRepository
from app.core.audit.actions import AuditAction
from app.core.db.uow import UnitOfWork


class LedgerAction(AuditAction):
    POSTED = "ledger_posting.posted"


class Charged(NamedTuple):
    """A claim whose charges are due, by line."""

    claim_id: uuid.UUID
    patient_id: uuid.UUID
    charges: dict[uuid.UUID, Decimal]


async def post(uow: UnitOfWork, posting: LedgerPosting, entries: Iterable[Entry]) -> None:
    """Stores a posting with its entries, audits it and publishes `ledger.posted`. Entries of nothing are left out.

    A cause that was posted before violates a unique key.
    """
    await post_all(uow, [(posting, entries)])


async def post_all(uow: UnitOfWork, postings: Iterable[tuple[LedgerPosting, Iterable[Entry]]]) -> None:
    """As `post`, for several. The entries of all are stored in one statement."""
    moving = [(posting, [entry for entry in entries if entry.amount]) for posting, entries in postings]
    for posting, _ in moving:
        await uow.create(posting, LedgerAction.POSTED, event=LEDGER_POSTED)
    await EntryRepository(uow).add(uow.tenant_id, moving)


async def post_charges(uow: UnitOfWork, claims: Sequence[Charged]) -> None:
    """Makes the ledger's charges those of the claims' lines, and a payer's again if they were the patient's.

    Nothing is posted for a claim where they are so. The claims must be locked.
    """
    standings = await EntryRepository(uow).standings(uow.tenant_id, [claim.claim_id for claim in claims])
    postings = []
    for claim in claims:
        standing = standings[claim.claim_id]
        self_pay = [one.taken_back() for one in standing.of_kind(EntryKind.SELF_PAY)]
        entries = [*charge_changes(standing, claim.charges), *self_pay]
        if entries:
            postings.append((_posting(uow, claim.claim_id, claim.patient_id, Cause.SUBMISSION), entries))
    await post_all(uow, postings)


async def post_self_pay(uow: UnitOfWork, *, claim_id: uuid.UUID, patient_id: uuid.UUID) -> None:
    """Makes what a payer would owe the patient's. The claim must be locked."""
    owed = (await EntryRepository(uow).standing(uow.tenant_id, claim_id)).balance(Account.PAYER)
    entry = Entry(EntryKind.SELF_PAY, Account.PATIENT, Account.PAYER, owed)
    await post(uow, _posting(uow, claim_id, patient_id, Cause.SELF_PAY), [entry])


def _posting(uow: UnitOfWork, claim_id: uuid.UUID, patient_id: uuid.UUID, cause: Cause) -> LedgerPosting:
    return LedgerPosting(tenant_id=uow.tenant_id, claim_id=claim_id, patient_id=patient_id, cause=cause)
