"""Sums over the ledger of an agency."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.billing.claims.models import Claim
from app.billing.ledger.accounts import RECEIVABLES
from app.billing.ledger.models import LedgerEntry
from app.billing.payers.models import PayerRecord
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.ids import TenantId

_entries: Any = LedgerEntry.__table__
_claims: Any = Claim.__table__
_payers: Any = PayerRecord.__table__
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)
AGES: dict[str, tuple[int, int | None]] = {
    "days_0_30": (0, 30),
    "days_31_60": (31, 60),
    "days_61_90": (61, 90),
    "days_91_120": (91, 120),
    "days_over_120": (121, None),
}
"""Days since the service, both included. A service of the future counts as of today."""


def _signed() -> sa.ColumnElement[Any]:
    """What an entry adds to the receivables: nothing, if it only moves money between them."""
    owed = sa.bindparam("receivables", type_=ARRAY(sa.Text()))
    debited = sa.case((_entries.c.debit_account == sa.any_(owed), _entries.c.amount), else_=0)
    credited = sa.case((_entries.c.credit_account == sa.any_(owed), _entries.c.amount), else_=0)
    return debited - credited


def _ageing() -> CompiledStatement:
    open_claims = (
        sa.select(_entries.c.claim_id, sa.func.sum(_signed()).label("open"))
        .where(_entries.c.tenant_id == _TENANT, _entries.c.claim_id.is_not(None))
        .group_by(_entries.c.claim_id)
        .having(sa.func.sum(_signed()) != 0)
        .subquery("open_claims")
    )
    served = _claims.c.service_date
    days = sa.func.greatest(sa.bindparam("today", type_=sa.Date) - served, 0)
    total = sa.func.sum(open_claims.c.open)
    buckets = [
        sa.func.coalesce(total.filter(_within(days, *bounds), served.is_not(None)), 0).label(name)
        for name, bounds in AGES.items()
    ]
    return CompiledStatement(
        sa.select(
            _claims.c.payer_record_id,
            sa.func.min(_payers.c.name).label("payer_name"),
            *buckets,
            sa.func.coalesce(total.filter(served.is_(None)), 0).label("undated"),
            total.label("total"),
        )
        .select_from(
            open_claims.join(
                _claims, sa.and_(_claims.c.tenant_id == _TENANT, _claims.c.id == open_claims.c.claim_id)
            ).outerjoin(_payers, sa.and_(_payers.c.tenant_id == _TENANT, _payers.c.id == _claims.c.payer_record_id))
        )
        .group_by(_claims.c.payer_record_id)
        .order_by(total.desc(), _claims.c.payer_record_id)
    )


def _within(days: sa.ColumnElement[Any], first: int, last: int | None) -> sa.ColumnElement[bool]:
    return days >= first if last is None else days.between(first, last)


_AGEING = _ageing()


class BalanceRepository:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def list_by_age(self, tenant_id: TenantId, today: dt.date) -> Sequence[Any]:
        """A row for each payer whose claims have an open balance, the largest first. It reads the whole ledger."""
        values = {"tenant_id": tenant_id, "today": today, "receivables": [account.value for account in RECEIVABLES]}
        return await self._uow.fetch(_AGEING, values)
