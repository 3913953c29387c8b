"""appeals: one request to a payer to decide again."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.billing.appeals.lifecycle import AppealStatus, appeal_lifecycle
from app.core.db.columns import EnumText, MoneyColumn, internal, phi, plain
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live


class Appeal(TenantEntity):
    """One level of appeal against one refusal. A level is there once, unless it was withdrawn.

    `against_on` is the day of the decision that it is about: the remittance, or the payer's answer to the level before.
    `file_by` is its last day; null if nobody knows it. `amount` is in dispute, `awarded_amount` what was won of it.
    """

    __tablename__ = "appeals"
    entity_type: ClassVar[str] = "appeal"
    references: ClassVar[tuple[str, ...]] = ("claim_id", "denial_id")

    incident_id: Mapped[uuid.UUID] = internal()
    claim_id: Mapped[uuid.UUID] = internal()
    denial_id: Mapped[uuid.UUID] = internal()
    level: Mapped[int] = plain()
    status: Mapped[AppealStatus] = plain(EnumText(AppealStatus), default=AppealStatus.DRAFT)
    amount: Mapped[Decimal] = plain(MoneyColumn)
    against_on: Mapped[dt.date] = plain(sa.Date())
    file_by: Mapped[dt.date | None] = plain(sa.Date(), default=None)
    letter: Mapped[str] = phi(heavy=True)
    filed_on: Mapped[dt.date | None] = plain(sa.Date(), default=None)
    decided_on: Mapped[dt.date | None] = plain(sa.Date(), default=None)
    awarded_amount: Mapped[Decimal | None] = plain(MoneyColumn, default=None)
    reference: Mapped[str | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("appeals", "status", "incident_id", "claim_id", "denial_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_appeals_incident_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_appeals_claim_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "denial_id"], ["denials.tenant_id", "denials.id"], name="fk_appeals_denial_id"
        ),
        unique_among_live("uq_appeals_level", "denial_id", "level", also=sa.text("status <> 'withdrawn'")),
        sa.CheckConstraint("level BETWEEN 1 AND 5", name="level"),
        sa.CheckConstraint("amount > 0", name="amount"),
        sa.CheckConstraint("awarded_amount BETWEEN 0 AND amount", name="awarded_amount"),
        sa.CheckConstraint(
            "status NOT IN ('filed', 'won', 'partly_won', 'lost') OR filed_on IS NOT NULL", name="filed"
        ),
        sa.CheckConstraint(
            "status NOT IN ('won', 'partly_won', 'lost') OR (decided_on IS NOT NULL AND awarded_amount IS NOT NULL)",
            name="decided",
        ),
        appeal_lifecycle.check(),
    )
