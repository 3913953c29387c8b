"""remittances and remittance_claims (directive 8): a payment, and what it says about each claim."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.billing.remittances.lifecycle import HoldReason, RemittanceClaimStatus, remittance_claim_lifecycle
from app.core.db.columns import EnumText, MoneyColumn, internal, phi, plain, values_check
from app.core.db.entity import TenantEntity, standard_constraints

_JSON = JSONB(none_as_null=True)


class RemittanceSource(StrEnum):
    ERA = "era"
    PAPER = "paper"


class Remittance(TenantEntity):
    """One transaction set of an 835, or one paper remittance. `set_number` counts the sets of its file from 1.

    Payer, trace, date, amount and control number together are the payment's name: it is taken once. `balanced`: the
    amount is what the claims were paid less the provider's adjustments; otherwise nothing of it is posted by itself.
    """

    __tablename__ = "remittances"
    entity_type: ClassVar[str] = "remittance"

    file_id: Mapped[uuid.UUID | None] = internal(default=None)
    set_number: Mapped[int] = internal(default=1)
    source: Mapped[RemittanceSource] = plain(EnumText(RemittanceSource))
    payer_identifier: Mapped[str] = plain()
    payer_name: Mapped[str] = plain()
    trace_number: Mapped[str] = plain()
    control_number: Mapped[str] = plain()
    handling: Mapped[str] = plain()
    method: Mapped[str] = plain()
    paid_on: Mapped[dt.date] = plain(sa.Date())
    amount: Mapped[Decimal] = plain(MoneyColumn)
    claim_count: Mapped[int] = plain()
    balanced: Mapped[bool] = plain()
    provider_adjustments: Mapped[list[Any]] = plain(_JSON, default_factory=list)

    __table_args__ = (
        *standard_constraints("remittances", "file_id", "paid_on"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"], ["received_files.tenant_id", "received_files.id"], name="fk_remittances_file_id"
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "payer_identifier",
            "trace_number",
            "paid_on",
            "amount",
            "control_number",
            name="uq_remittances_payment",
        ),
        sa.CheckConstraint("(file_id IS NULL) = (source = 'paper')", name="file_id"),
        values_check("source", RemittanceSource),
    )


class RemittanceClaim(TenantEntity):
    """What the payer decided about one claim, as it said it (`content`), and what became of that.

    `claim_id` is the claim that it was matched with. `hold_reason` stays when a person has decided.
    """

    __tablename__ = "remittance_claims"
    entity_type: ClassVar[str] = "remittance_claim"
    references: ClassVar[tuple[str, ...]] = ("remittance_id",)

    remittance_id: Mapped[uuid.UUID] = internal()
    position: Mapped[int] = internal()
    claim_id: Mapped[uuid.UUID | None] = plain(default=None)
    status: Mapped[RemittanceClaimStatus] = plain(
        EnumText(RemittanceClaimStatus), default=RemittanceClaimStatus.PENDING
    )
    hold_reason: Mapped[HoldReason | None] = plain(EnumText(HoldReason), default=None)
    claim_number: Mapped[str] = plain()
    payer_status: Mapped[str] = plain()
    payer_control_number: Mapped[str | None] = plain(default=None)
    charge_amount: Mapped[Decimal] = plain(MoneyColumn)
    paid_amount: Mapped[Decimal] = plain(MoneyColumn)
    content: Mapped[dict[str, Any]] = phi(_JSON, heavy=True)

    __table_args__ = (
        *standard_constraints("remittance_claims", "status", "claim_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "remittance_id"],
            ["remittances.tenant_id", "remittances.id"],
            name="fk_remittance_claims_remittance_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_remittance_claims_claim_id"
        ),
        sa.UniqueConstraint("tenant_id", "remittance_id", "position", name="uq_remittance_claims_position"),
        sa.CheckConstraint("status <> 'held' OR hold_reason IS NOT NULL", name="held"),
        sa.CheckConstraint("status <> 'posted' OR claim_id IS NOT NULL", name="posted"),
        values_check("hold_reason", HoldReason),
        remittance_claim_lifecycle.check(),
    )
