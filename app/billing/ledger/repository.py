"""Queries for postings and their entries."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.billing.ledger.accounts import MOVEMENTS, Account, EntryKind
from app.billing.ledger.entries import Entry, Standing
from app.billing.ledger.models import Cause, LedgerEntry, LedgerPosting
from app.core.db.columns import MoneyColumn
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.ids import TenantId, new_id

_entries: Any = LedgerEntry.__table__
_postings: Any = LedgerPosting.__table__
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)
_CLAIM = sa.bindparam("claim_id", type_=sa.Uuid)
_given = (
    sa.func.jsonb_to_recordset(sa.bindparam("entries", type_=JSONB))
    .table_valued(
        sa.column("id", sa.Uuid),
        sa.column("posting_id", sa.Uuid),
        sa.column("claim_id", sa.Uuid),
        sa.column("line_id", sa.Uuid),
        sa.column("kind", sa.Text),
        sa.column("debit_account", sa.Text),
        sa.column("credit_account", sa.Text),
        sa.column("amount", MoneyColumn),
        sa.column("reason_code", sa.Text),
    )
    .render_derived(name="given", with_types=True)
)
_GIVEN = (
    "id", "posting_id", "claim_id", "line_id", "kind", "debit_account", "credit_account", "amount", "reason_code",
)  # fmt: skip
_INSERT = CompiledStatement(
    sa.insert(_entries).from_select(
        ["tenant_id", *_GIVEN],
        sa.select(
            _TENANT,
            *(_given.c[name] for name in _GIVEN),
        ),
    )
)
_SUMS = (_entries.c.line_id, _entries.c.kind, _entries.c.debit_account, _entries.c.credit_account)
_STANDING = CompiledStatement(
    sa.select(_entries.c.claim_id, *_SUMS, _entries.c.reason_code, sa.func.sum(_entries.c.amount).label("amount"))
    .where(
        _entries.c.tenant_id == _TENANT,
        _entries.c.claim_id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Uuid()))),
    )
    .group_by(_entries.c.claim_id, *_SUMS, _entries.c.reason_code)
)
_HISTORY = CompiledStatement(
    sa.select(
        _entries.c.id,
        *_SUMS,
        _entries.c.reason_code,
        _entries.c.amount,
        _entries.c.created_at,
        _entries.c.posting_id,
        _postings.c.cause,
        _postings.c.remittance_id,
        _postings.c.remittance_claim_id,
        _postings.c.payment_id,
        _postings.c.reason,
    )
    .join(
        _postings,
        sa.and_(_postings.c.tenant_id == _entries.c.tenant_id, _postings.c.id == _entries.c.posting_id),
    )
    .where(_entries.c.tenant_id == _TENANT, _entries.c.claim_id == _CLAIM)
    .order_by(_entries.c.created_at, _entries.c.id)
)


_OF_PAYMENT = CompiledStatement(
    sa.select(_postings.c.id).where(
        _postings.c.tenant_id == _TENANT,
        _postings.c.payment_id == sa.bindparam("payment_id", type_=sa.Uuid),
        _postings.c.cause == sa.bindparam("cause", type_=sa.Text),
    )
)


@dataclass(frozen=True, slots=True)
class PostedEntry:
    """A stored entry with its cause."""

    id: uuid.UUID
    posting_id: uuid.UUID
    line_id: uuid.UUID | None
    kind: EntryKind
    debit_account: Account
    credit_account: Account
    amount: Decimal
    reason_code: str | None
    cause: Cause
    remittance_id: uuid.UUID | None
    remittance_claim_id: uuid.UUID | None
    payment_id: uuid.UUID | None
    reason: str | None
    created_at: dt.datetime


class EntryRepository:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def standing(self, tenant_id: TenantId, claim_id: uuid.UUID) -> Standing:
        """What the claim's entries come to."""
        return (await self.standings(tenant_id, [claim_id]))[claim_id]

    async def standings(self, tenant_id: TenantId, claim_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Standing]:
        """The same for several claims; every id has an answer."""
        entries: dict[uuid.UUID, list[Entry]] = {claim_id: [] for claim_id in claim_ids}
        for row in await self._uow.fetch(_STANDING, {"tenant_id": tenant_id, "ids": list(claim_ids)}):
            entries[row["claim_id"]].append(_read(row))
        return {claim_id: Standing.of(found) for claim_id, found in entries.items()}

    async def list_of_claim(self, tenant_id: TenantId, claim_id: uuid.UUID) -> list[PostedEntry]:
        """Every entry of one claim, oldest first."""
        rows = await self._uow.fetch(_HISTORY, {"tenant_id": tenant_id, "claim_id": claim_id})
        return [PostedEntry(**dict(row)) for row in rows]

    async def is_posted(self, tenant_id: TenantId, payment_id: uuid.UUID, cause: Cause) -> bool:
        """True if the payment is the cause of a posting already."""
        values = {"tenant_id": tenant_id, "payment_id": payment_id, "cause": cause}
        return await self._uow.fetch_row(_OF_PAYMENT, values) is not None

    async def add(self, tenant_id: TenantId, postings: Iterable[tuple[LedgerPosting, Iterable[Entry]]]) -> None:
        """Stores the entries of several postings in one statement."""
        rows = [_row(posting, entry) for posting, entries in postings for entry in entries]
        if rows:
            await self._uow.fetch(_INSERT, {"tenant_id": tenant_id, "entries": rows})


def _row(posting: LedgerPosting, entry: Entry) -> dict[str, Any]:
    accounts = (entry.debit, entry.credit) if entry.amount > 0 else (entry.credit, entry.debit)
    return {
        "id": new_id(),
        "posting_id": posting.id,
        "claim_id": posting.claim_id,
        "line_id": entry.line_id,
        "kind": entry.kind,
        "debit_account": accounts[0],
        "credit_account": accounts[1],
        "amount": abs(entry.amount),
        "reason_code": entry.reason_code,
    }


def _read(row: Any) -> Entry:
    kind, debit, credit = EntryKind(row["kind"]), Account(row["debit_account"]), Account(row["credit_account"])
    if (debit, credit) in MOVEMENTS[kind]:
        return Entry(kind, debit, credit, row["amount"], row["line_id"], row["reason_code"])
    return Entry(kind, credit, debit, -row["amount"], row["line_id"], row["reason_code"])
