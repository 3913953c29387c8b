"""The one door through which entries enter the ledger."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from decimal import Decimal

from app.billing.events import LEDGER_POSTED
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
    """Makes the ledger's charges those of the claim's lines, if they are not. The claim must be locked."""
    standing = await EntryRepository(uow).standing(uow.tenant_id, claim_id)
    entries = charge_changes(standing, charges)
    if entries:
        posting = LedgerPosting(
            tenant_id=uow.tenant_id, claim_id=claim_id, patient_id=patient_id, cause=Cause.SUBMISSION
        )
        await post(uow, posting, entries)
