"""denials: what a payer refused of one claim, in one decision."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.billing.adjustment_codes.dictionary import Category, Owner, Remedy
from app.billing.denials.lifecycle import DenialStatus, Resolution, denial_lifecycle
from app.core.db.columns import EnumText, MoneyColumn, internal, plain, values_check
from app.core.db.entity import TenantEntity, standard_constraints

_JSON = JSONB(none_as_null=True)
NO_DEADLINE = dt.date(2100, 1, 1)
# In PostgreSQL's own spelling, with which the check of migrations compares it. It is a CASE because row-level security
# keeps COALESCE from the index.
DEADLINE_OR_LAST = "(\nCASE\nWHEN appeal_by IS NULL THEN '2100-01-01'::date\nELSE appeal_by\nEND)"


def deadline_or_last(table: sa.FromClause) -> sa.ColumnElement[Any]:
    """The last day for an appeal as a sort key: what has none stands last. The text of the index is the same."""
    at = table.c.appeal_by
    return sa.case((at.is_(None), sa.literal_column("'2100-01-01'::date")), else_=at)


APPEALABLE = sa.text("status = 'open' AND appealable AND deleted_at IS NULL")
"""Refusals whose time for an appeal still runs. It is one constant text, so that the planner finds the index."""


class Denial(TenantEntity):
    """A refusal, posted with the decision that it is part of. There is one at most of each decision.

    `codes` are groups and reasons (CO-50), the largest amount first. `notice_on` is the day of the remittance.
    `appeal_by` is the last day for the first appeal; null if there is none, or nobody knows it. `appealable` is false
    for a claim that the payer could not process. `payer_record_id` is the claim's at that time.
    """

    __tablename__ = "denials"
    entity_type: ClassVar[str] = "denial"
    references: ClassVar[tuple[str, ...]] = ("claim_id",)

    claim_id: Mapped[uuid.UUID] = internal()
    remittance_claim_id: Mapped[uuid.UUID] = internal()
    payer_record_id: Mapped[uuid.UUID | None] = internal(default=None)
    status: Mapped[DenialStatus] = plain(EnumText(DenialStatus), default=DenialStatus.OPEN)
    resolution: Mapped[Resolution | None] = plain(EnumText(Resolution), default=None)
    codes: Mapped[list[Any]] = plain(_JSON)
    remarks: Mapped[list[Any]] = plain(_JSON)
    amount: Mapped[Decimal] = plain(MoneyColumn)
    whole: Mapped[bool] = plain()
    category: Mapped[Category] = plain(EnumText(Category))
    owner: Mapped[Owner] = plain(EnumText(Owner))
    remedy: Mapped[Remedy] = plain(EnumText(Remedy))
    appealable: Mapped[bool] = plain()
    notice_on: Mapped[dt.date] = plain(sa.Date())
    appeal_by: Mapped[dt.date | None] = plain(sa.Date(), default=None)
    assigned_to_user_id: Mapped[uuid.UUID | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("denials", "status", "claim_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_denials_claim_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "remittance_claim_id"],
            ["remittance_claims.tenant_id", "remittance_claims.id"],
            name="fk_denials_remittance_claim_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payer_record_id"], ["payers.tenant_id", "payers.id"], name="fk_denials_payer_record_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "assigned_to_user_id"], ["users.tenant_id", "users.id"], name="fk_denials_assigned_to_user_id"
        ),
        sa.UniqueConstraint("tenant_id", "remittance_claim_id", name="uq_denials_remittance_claim"),
        sa.Index(
            "ix_denials_appeal_by",
            "tenant_id",
            sa.text(DEADLINE_OR_LAST),
            "id",
            postgresql_where=sa.text("deleted_at IS NULL"),
        ),
        sa.Index("ix_denials_appeal_due", "tenant_id", "appeal_by", "claim_id", postgresql_where=APPEALABLE),
        sa.CheckConstraint("amount >= 0", name="amount"),
        sa.CheckConstraint("status <> 'resolved' OR resolution IS NOT NULL", name="settled"),
        values_check("resolution", Resolution),
        values_check("category", Category),
        values_check("owner", Owner),
        values_check("remedy", Remedy),
        denial_lifecycle.check(),
    )
