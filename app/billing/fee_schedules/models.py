"""fee_schedules and fee_schedule_items."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, MoneyColumn, internal, plain, values_check
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live


class FeeKind(StrEnum):
    """Gross: what everybody is charged. Contract: what one payer is charged by agreement."""

    GROSS = "gross"
    CONTRACT = "contract"


class FeeSchedule(TenantEntity):
    """Prices in force from `effective_from` to `effective_to`, both included; null for no end.

    Two schedules of one kind and payer are never in force on one day. `items_revision` counts changes of the items, so
    that the schedule's version changes with them. `changed_by` is the user, or the external API key, of that version.
    """

    __tablename__ = "fee_schedules"
    entity_type: ClassVar[str] = "fee_schedule"

    name: Mapped[str] = plain()
    kind: Mapped[FeeKind] = plain(EnumText(FeeKind))
    payer_record_id: Mapped[uuid.UUID | None] = plain(default=None)
    effective_from: Mapped[dt.date] = plain()
    effective_to: Mapped[dt.date | None] = plain(default=None)
    changed_by: Mapped[uuid.UUID | None] = internal(default=None)
    items_revision: Mapped[int] = plain(default=0, server_default=sa.text("0"))

    __table_args__ = (
        *standard_constraints("fee_schedules", "payer_record_id"),
        unique_among_live("uq_fee_schedules_name", "name"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payer_record_id"], ["payers.tenant_id", "payers.id"], name="fk_fee_schedules_payer_record_id"
        ),
        values_check("kind", FeeKind),
        sa.CheckConstraint("(kind = 'contract') = (payer_record_id IS NOT NULL)", name="payer"),
        sa.CheckConstraint("effective_to >= effective_from", name="effective"),
    )


class FeeItem(TenantEntity):
    """The price of one unit of a service: of a mile, for codes of mileage.

    Its days are those on which both the item and its schedule are in force. Null bounds are the schedule's. Two items
    of one code are never in force on one day.
    """

    __tablename__ = "fee_schedule_items"
    entity_type: ClassVar[str] = "fee_schedule_item"
    aggregate: ClassVar[str] = "schedule_id"

    schedule_id: Mapped[uuid.UUID] = internal()
    hcpcs: Mapped[str] = plain()
    unit_price: Mapped[Decimal] = plain(MoneyColumn)
    effective_from: Mapped[dt.date | None] = plain(default=None)
    effective_to: Mapped[dt.date | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("fee_schedule_items", "schedule_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "schedule_id"],
            ["fee_schedules.tenant_id", "fee_schedules.id"],
            name="fk_fee_schedule_items_schedule_id",
        ),
        sa.Index("ix_fee_schedule_items_tenant_hcpcs", "tenant_id", "hcpcs", "schedule_id"),
        sa.CheckConstraint("unit_price >= 0", name="unit_price"),
        sa.CheckConstraint("effective_to >= effective_from", name="effective"),
    )
