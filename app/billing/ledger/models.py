"""ledger_postings and ledger_entries (directive 8): why money moved, and how much between which accounts."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.billing.ledger.accounts import Account, EntryKind, movements_check
from app.core.db.columns import EnumText, MoneyColumn, internal, plain, values_check
from app.core.db.entity import Base, TenantEntity, standard_constraints


class Cause(StrEnum):
    """What made a posting."""

    SUBMISSION = "submission"
    SELF_PAY = "self_pay"
    REMITTANCE = "remittance"
    PROVIDER_ADJUSTMENT = "provider_adjustment"
    PATIENT_PAYMENT = "patient_payment"
    PATIENT_REFUND = "patient_refund"
    PERSON = "person"


class LedgerPosting(TenantEntity):
    """Entries that were made together, for one cause. It never changes.

    A remittance's claim and a payment are each the cause of one posting, so none is posted twice. `claim_id` is null
    where a payer adjusts the agency and no claim.
    """

    __tablename__ = "ledger_postings"
    entity_type: ClassVar[str] = "ledger_posting"
    references: ClassVar[tuple[str, ...]] = ("claim_id", "patient_id", "remittance_id")

    claim_id: Mapped[uuid.UUID | None] = internal(default=None)
    patient_id: Mapped[uuid.UUID | None] = internal(default=None)
    cause: Mapped[Cause] = plain(EnumText(Cause))
    remittance_id: Mapped[uuid.UUID | None] = internal(default=None)
    remittance_claim_id: Mapped[uuid.UUID | None] = internal(default=None)
    payment_id: Mapped[uuid.UUID | None] = internal(default=None)
    reason: Mapped[str | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("ledger_postings", "claim_id", "patient_id", "remittance_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_ledger_postings_claim_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "patient_id"], ["patients.tenant_id", "patients.id"], name="fk_ledger_postings_patient_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "remittance_id"],
            ["remittances.tenant_id", "remittances.id"],
            name="fk_ledger_postings_remittance_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "remittance_claim_id"],
            ["remittance_claims.tenant_id", "remittance_claims.id"],
            name="fk_ledger_postings_remittance_claim_id",
        ),
        sa.UniqueConstraint("tenant_id", "remittance_claim_id", name="uq_ledger_postings_remittance_claim"),
        sa.UniqueConstraint("tenant_id", "payment_id", "cause", name="uq_ledger_postings_payment"),
        sa.Index(
            "uq_ledger_postings_provider",
            "tenant_id",
            "remittance_id",
            unique=True,
            postgresql_where=sa.text("cause = 'provider_adjustment'"),
        ),
        sa.CheckConstraint("(claim_id IS NULL) = (cause = 'provider_adjustment')", name="claim"),
        sa.CheckConstraint("(claim_id IS NULL) = (patient_id IS NULL)", name="patient"),
        sa.CheckConstraint("(remittance_claim_id IS NOT NULL) = (cause = 'remittance')", name="remittance_claim"),
        sa.CheckConstraint(
            "(remittance_id IS NOT NULL) = (cause IN ('remittance', 'provider_adjustment'))", name="remittance"
        ),
        sa.CheckConstraint(
            "(payment_id IS NOT NULL) = (cause IN ('patient_payment', 'patient_refund'))", name="payment"
        ),
        sa.CheckConstraint("cause <> 'person' OR reason IS NOT NULL", name="reason"),
        values_check("cause", Cause),
    )


class LedgerEntry(Base):
    """One amount that moves from the credited to the debited account. So debits and credits are always equal.

    `reason_code` is the payer's group and reason (CO-45), or that of a provider adjustment (WO).
    """

    __tablename__ = "ledger_entries"

    id: Mapped[uuid.UUID] = internal(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = internal()
    posting_id: Mapped[uuid.UUID] = internal()
    claim_id: Mapped[uuid.UUID | None] = internal()
    line_id: Mapped[uuid.UUID | None] = internal()
    kind: Mapped[EntryKind] = plain(EnumText(EntryKind))
    debit_account: Mapped[Account] = plain(EnumText(Account))
    credit_account: Mapped[Account] = plain(EnumText(Account))
    amount: Mapped[Decimal] = plain(MoneyColumn)
    reason_code: Mapped[str | None] = plain()
    created_at: Mapped[dt.datetime] = internal(server_default=sa.func.now())

    __table_args__ = (
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_ledger_entries_tenant"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "posting_id"],
            ["ledger_postings.tenant_id", "ledger_postings.id"],
            name="fk_ledger_entries_posting_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_ledger_entries_claim_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "line_id"], ["claim_lines.tenant_id", "claim_lines.id"], name="fk_ledger_entries_line_id"
        ),
        sa.Index("ix_ledger_entries_tenant_created_at", "tenant_id", "created_at", "id"),
        sa.Index("ix_ledger_entries_tenant_claim_id", "tenant_id", "claim_id", "id"),
        sa.Index("ix_ledger_entries_tenant_posting_id", "tenant_id", "posting_id"),
        sa.CheckConstraint("amount > 0", name="amount"),
        sa.CheckConstraint(movements_check(), name="movement"),
        sa.CheckConstraint("line_id IS NULL OR claim_id IS NOT NULL", name="line"),
        values_check("kind", EntryKind),
        values_check("debit_account", Account),
        values_check("credit_account", Account),
    )
