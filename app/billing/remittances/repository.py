"""Queries for remittances and the claims in them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.billing.remittances.lifecycle import RemittanceClaimStatus
from app.billing.remittances.models import Remittance, RemittanceClaim
from app.core.db.columns import MoneyColumn
from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository

_remittances: Any = Remittance.__table__
_claims: Any = RemittanceClaim.__table__
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)
_BY_NAME = CompiledStatement(
    sa.select(*_remittances.c).where(
        _remittances.c.tenant_id == _TENANT,
        _remittances.c.payer_identifier == sa.bindparam("payer_identifier", type_=sa.Text),
        _remittances.c.trace_number == sa.bindparam("trace_number", type_=sa.Text),
        _remittances.c.paid_on == sa.bindparam("paid_on", type_=sa.Date),
        _remittances.c.amount == sa.bindparam("amount", type_=MoneyColumn),
        _remittances.c.control_number == sa.bindparam("control_number", type_=sa.Text),
    )
)
_SOURCE = sa.bindparam("source_id", type_=sa.Uuid)
_PENDING = CompiledStatement(
    sa.select(_claims.c.id)
    .join(
        _remittances,
        sa.and_(_remittances.c.tenant_id == _claims.c.tenant_id, _remittances.c.id == _claims.c.remittance_id),
    )
    .where(
        _remittances.c.tenant_id == _TENANT,
        sa.or_(_remittances.c.id == _SOURCE, _remittances.c.file_id == _SOURCE),
        _claims.c.status == "pending",
    )
    .order_by(_remittances.c.set_number, _claims.c.position)
)
_COUNTS = CompiledStatement(
    sa.select(_claims.c.remittance_id, _claims.c.status, sa.func.count())
    .where(
        _claims.c.tenant_id == _TENANT,
        _claims.c.remittance_id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Uuid()))),
    )
    .group_by(_claims.c.remittance_id, _claims.c.status)
)
Counts = dict[RemittanceClaimStatus, int]


class RemittanceRepository(Repository[Remittance]):
    entity = Remittance
    filters = ("file_id", "source", "trace_number", "balanced")
    ranges = ("created_at",)

    async def find_payment(
        self,
        tenant_id: TenantId,
        *,
        payer_identifier: str,
        trace_number: str,
        paid_on: dt.date,
        amount: Decimal,
        control_number: str,
    ) -> Remittance | None:
        """The remittance that is this payment."""
        values = {
            "tenant_id": tenant_id,
            "payer_identifier": payer_identifier,
            "trace_number": trace_number,
            "paid_on": paid_on,
            "amount": amount,
            "control_number": control_number,
        }
        row = await self.uow.fetch_row(_BY_NAME, values)
        return None if row is None else self._built((row,))[0]


class RemittanceClaimRepository(Repository[RemittanceClaim]):
    entity = RemittanceClaim
    filters = ("status", "remittance_id", "claim_id", "claim_number", "hold_reason")
    ranges = ("created_at",)

    async def list_pending_ids(self, tenant_id: TenantId, source_id: uuid.UUID) -> list[uuid.UUID]:
        """Decisions of a file or a remittance that nobody has judged yet, in the order in which they came."""
        rows = await self.uow.fetch(_PENDING, {"tenant_id": tenant_id, "source_id": source_id})
        return [row[0] for row in rows]

    async def count_by_status(self, tenant_id: TenantId, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Counts]:
        """How many decisions of each remittance are in each state; every id has an answer."""
        counts: dict[uuid.UUID, Counts] = {remittance_id: {} for remittance_id in ids}
        for remittance_id, status, count in await self.uow.fetch(_COUNTS, {"tenant_id": tenant_id, "ids": list(ids)}):
            counts[remittance_id][RemittanceClaimStatus(status)] = count
        return counts
