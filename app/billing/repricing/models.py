"""claim_repricings."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import MoneyColumn, internal, plain
from app.core.db.entity import TenantEntity, standard_constraints


class ClaimRepricing(TenantEntity):
    """An open claim whose charge followed a change of a fee schedule.

    `schedule_version` is the version that the change made, and `changed_by` who made it: a user or an external API key.
    """

    __tablename__ = "claim_repricings"
    entity_type: ClassVar[str] = "claim_repricing"
    aggregate: ClassVar[str] = "claim_id"

    schedule_id: Mapped[uuid.UUID] = internal()
    schedule_version: Mapped[int] = internal()
    changed_by: Mapped[uuid.UUID | None] = internal(default=None)
    claim_id: Mapped[uuid.UUID] = internal()
    old_charge: Mapped[Decimal] = plain(MoneyColumn)
    new_charge: Mapped[Decimal] = plain(MoneyColumn)

    __table_args__ = (
        *standard_constraints("claim_repricings", "schedule_id", "claim_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "schedule_id"],
            ["fee_schedules.tenant_id", "fee_schedules.id"],
            name="fk_claim_repricings_schedule_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_claim_repricings_claim_id"
        ),
    )
