"""Queries for fee schedules, their items and the prices in force."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.billing.fee_schedules.models import FeeItem, FeeSchedule
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.ids import TenantId
from app.core.repository import Repository

_schedules: Any = FeeSchedule.__table__
_items: Any = FeeItem.__table__
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)
_FIRST, _LAST = (sa.bindparam(name, type_=sa.Date) for name in ("first", "last"))
_OVERLAPPING = CompiledStatement(
    sa.select(_schedules.c.id)
    .where(
        _schedules.c.tenant_id == _TENANT,
        _schedules.c.id != sa.bindparam("id", type_=sa.Uuid),
        _schedules.c.payer_record_id.is_not_distinct_from(sa.bindparam("payer_record_id", type_=sa.Uuid)),
        _schedules.c.deleted_at.is_(None),
        sa.or_(_LAST.is_(None), _schedules.c.effective_from <= _LAST),
        sa.or_(_schedules.c.effective_to.is_(None), _schedules.c.effective_to >= _FIRST),
    )
    .limit(sa.literal_column("1"))
)
_IN_FORCE = CompiledStatement(
    sa.select(
        _schedules.c.payer_record_id,
        _schedules.c.effective_from.label("schedule_from"),
        _schedules.c.effective_to.label("schedule_to"),
        *(_items.c[name] for name in ("id", "schedule_id", "version", "hcpcs", "unit_price")),
        _items.c.effective_from,
        _items.c.effective_to,
    )
    .select_from(
        _items.join(
            _schedules, sa.and_(_schedules.c.tenant_id == _items.c.tenant_id, _schedules.c.id == _items.c.schedule_id)
        )
    )
    .where(
        _items.c.tenant_id == _TENANT,
        _items.c.hcpcs == sa.any_(sa.bindparam("codes", type_=ARRAY(sa.Text()))),
        _items.c.deleted_at.is_(None),
        _schedules.c.deleted_at.is_(None),
        sa.or_(
            _schedules.c.payer_record_id.is_(None),
            _schedules.c.payer_record_id == sa.any_(sa.bindparam("payer_record_ids", type_=ARRAY(sa.Uuid()))),
        ),
        _schedules.c.effective_from <= _LAST,
        sa.or_(_schedules.c.effective_to.is_(None), _schedules.c.effective_to >= _FIRST),
    )
)


@dataclass(frozen=True, slots=True)
class PricedItem:
    """An item with the days and the payer of its schedule; without a payer, its price is gross."""

    payer_record_id: uuid.UUID | None
    hcpcs: str
    unit_price: Decimal
    schedule_id: uuid.UUID
    item_id: uuid.UUID
    version: int
    first: dt.date
    last: dt.date | None

    def is_in_force(self, on: dt.date) -> bool:
        return self.first <= on and (self.last is None or on <= self.last)


class FeeScheduleRepository(Repository[FeeSchedule]):
    entity = FeeSchedule
    filters = ("kind", "payer_record_id", "name")

    async def is_overlapped(self, tenant_id: TenantId, schedule: FeeSchedule) -> bool:
        """True if another live schedule of the same payer, or of none, has a day in common with this one."""
        values = {
            "tenant_id": tenant_id,
            "id": schedule.id,
            "payer_record_id": schedule.payer_record_id,
            "first": schedule.effective_from,
            "last": schedule.effective_to,
        }
        return await self.uow.fetch_row(_OVERLAPPING, values) is not None


class FeeItemRepository(Repository[FeeItem]):
    entity = FeeItem
    filters = ("schedule_id", "hcpcs")


class PriceRepository:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def list_in_force(
        self,
        tenant_id: TenantId,
        *,
        payer_record_ids: Sequence[uuid.UUID],
        codes: Sequence[str],
        first: dt.date,
        last: dt.date,
    ) -> list[PricedItem]:
        """Prices of these codes, gross and of these payers, whose schedules are in force between the two days."""
        values = {
            "tenant_id": tenant_id,
            "payer_record_ids": list(payer_record_ids),
            "codes": list(codes),
            "first": first,
            "last": last,
        }
        return [_priced(row) for row in await self._uow.fetch(_IN_FORCE, values)]


def _priced(row: Any) -> PricedItem:
    first, last = row["schedule_from"], row["schedule_to"]
    if row["effective_from"] is not None:
        first = max(first, row["effective_from"])
    if row["effective_to"] is not None:
        last = row["effective_to"] if last is None else min(last, row["effective_to"])
    return PricedItem(
        payer_record_id=row["payer_record_id"],
        hcpcs=row["hcpcs"],
        unit_price=row["unit_price"],
        schedule_id=row["schedule_id"],
        item_id=row["id"],
        version=row["version"],
        first=first,
        last=last,
    )
