"""Files that came in, remittances with their decisions, and the ledger."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import append_only, secure

revision = "ledger"
down_revision = "derivations"
branch_labels = None
depends_on = None

_DECIDED_FOR = ("payer_receivable", "next_payer_receivable")
_RECEIVABLES = (*_DECIDED_FOR, "patient_receivable", "denied_receivable")
_MOVEMENTS = (
    ("charge", "payer_receivable", "charges"),
    *(("payment", "payer_cash", owed) for owed in _DECIDED_FOR),
    *(("contractual", "contractual_adjustments", owed) for owed in _DECIDED_FOR),
    *(("other_adjustment", "other_adjustments", owed) for owed in _DECIDED_FOR),
    *(("patient_responsibility", "patient_receivable", owed) for owed in _DECIDED_FOR),
    ("patient_responsibility", "next_payer_receivable", "payer_receivable"),
    *(("denial", "denied_receivable", owed) for owed in _DECIDED_FOR),
    ("patient_payment", "patient_cash", "patient_receivable"),
    ("self_pay", "patient_receivable", "payer_receivable"),
    *(("write_off", "written_off", owed) for owed in _RECEIVABLES),
    ("refund", "payer_receivable", "payer_cash"),
    ("interest", "payer_cash", "interest"),
    ("provider_adjustment", "payer_cash", "payer_balances"),
)


_ACCOUNTS = (
    *_RECEIVABLES,
    "charges",
    "payer_cash",
    "patient_cash",
    "contractual_adjustments",
    "other_adjustments",
    "written_off",
    "interest",
    "payer_balances",
)


def _movements() -> str:
    both = (row for kind, debit, credit in _MOVEMENTS for row in ((kind, debit, credit), (kind, credit, debit)))
    return f"kind || ' ' || debit_account || ' ' || credit_account IN ({_listed(map(' '.join, both))})"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def upgrade() -> None:
    op.create_table(
        "received_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("artifact_key", sa.Text(), nullable=True),
        sa.Column("foreign_payees", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('835', '999', '277CA', 'TA1', 'office_ally_status', 'unknown')",
            name=op.f("ck_received_files_kind"),
        ),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_received_files_sha256")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_received_files_size_bytes")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_received_files_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received_files")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_received_files_tenant"),
        sa.UniqueConstraint("tenant_id", "sha256", name="uq_received_files_sha256"),
    )
    op.create_index(
        "ix_received_files_tenant_created_at", "received_files", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_received_files_tenant_kind", "received_files", ["tenant_id", "kind", "created_at"], unique=False
    )
    op.create_table(
        "remittances",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("set_number", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("payer_identifier", sa.Text(), nullable=False),
        sa.Column("payer_name", sa.Text(), nullable=False),
        sa.Column("trace_number", sa.Text(), nullable=False),
        sa.Column("control_number", sa.Text(), nullable=False),
        sa.Column("handling", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("claim_count", sa.Integer(), nullable=False),
        sa.Column("balanced", sa.Boolean(), nullable=False),
        sa.Column("provider_adjustments", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("(file_id IS NULL) = (source = 'paper')", name=op.f("ck_remittances_file_id")),
        sa.CheckConstraint("source IN ('era', 'paper')", name=op.f("ck_remittances_source")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"], ["received_files.tenant_id", "received_files.id"], name="fk_remittances_file_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_remittances_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remittances")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_remittances_tenant"),
        sa.UniqueConstraint(
            "tenant_id",
            "payer_identifier",
            "trace_number",
            "paid_on",
            "amount",
            "control_number",
            name="uq_remittances_payment",
        ),
    )
    op.create_index("ix_remittances_tenant_created_at", "remittances", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_remittances_tenant_file_id", "remittances", ["tenant_id", "file_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_remittances_tenant_paid_on", "remittances", ["tenant_id", "paid_on", "created_at"], unique=False
    )
    op.create_table(
        "remittance_claims",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("remittance_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("hold_reason", sa.Text(), nullable=True),
        sa.Column("claim_number", sa.Text(), nullable=False),
        sa.Column("payer_status", sa.Text(), nullable=False),
        sa.Column("payer_control_number", sa.Text(), nullable=True),
        sa.Column("charge_amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("paid_amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("content", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "hold_reason IN ('line_unbalanced', 'claim_unbalanced', 'line_charges_differ', "
            "'patient_responsibility_differs', 'set_unbalanced', 'unknown_claim', 'not_a_decision', "
            "'claim_not_sent', 'claim_closed', 'charge_differs', 'line_unmatched', 'already_decided', "
            "'nothing_to_reverse', 'reversal_differs', 'prior_payer_differs')",
            name=op.f("ck_remittance_claims_hold_reason"),
        ),
        sa.CheckConstraint("status <> 'held' OR hold_reason IS NOT NULL", name=op.f("ck_remittance_claims_held")),
        sa.CheckConstraint("status <> 'posted' OR claim_id IS NOT NULL", name=op.f("ck_remittance_claims_posted")),
        sa.CheckConstraint(
            "status IN ('pending', 'held', 'posted', 'set_aside')", name=op.f("ck_remittance_claims_status")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_remittance_claims_claim_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "remittance_id"],
            ["remittances.tenant_id", "remittances.id"],
            name="fk_remittance_claims_remittance_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_remittance_claims_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remittance_claims")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_remittance_claims_tenant"),
        sa.UniqueConstraint("tenant_id", "remittance_id", "position", name="uq_remittance_claims_position"),
    )
    op.create_index(
        "ix_remittance_claims_tenant_claim_id",
        "remittance_claims",
        ["tenant_id", "claim_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_remittance_claims_tenant_created_at", "remittance_claims", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_remittance_claims_tenant_status", "remittance_claims", ["tenant_id", "status", "created_at"], unique=False
    )
    op.create_table(
        "ledger_postings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("remittance_id", sa.Uuid(), nullable=True),
        sa.Column("remittance_claim_id", sa.Uuid(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(claim_id IS NULL) = (cause = 'provider_adjustment')", name=op.f("ck_ledger_postings_claim")
        ),
        sa.CheckConstraint(
            "(payment_id IS NOT NULL) = (cause IN ('patient_payment', 'patient_refund'))",
            name=op.f("ck_ledger_postings_payment"),
        ),
        sa.CheckConstraint(
            "(remittance_claim_id IS NOT NULL) = (cause = 'remittance')",
            name=op.f("ck_ledger_postings_remittance_claim"),
        ),
        sa.CheckConstraint(
            "(remittance_id IS NOT NULL) = (cause IN ('remittance', 'provider_adjustment'))",
            name=op.f("ck_ledger_postings_remittance"),
        ),
        sa.CheckConstraint("cause <> 'person' OR reason IS NOT NULL", name=op.f("ck_ledger_postings_reason")),
        sa.CheckConstraint(
            "cause IN ('submission', 'self_pay', 'remittance', 'provider_adjustment', 'patient_payment',"
            " 'patient_refund', 'person')",
            name=op.f("ck_ledger_postings_cause"),
        ),
        sa.CheckConstraint("(claim_id IS NULL) = (patient_id IS NULL)", name=op.f("ck_ledger_postings_patient")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_ledger_postings_claim_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "patient_id"], ["patients.tenant_id", "patients.id"], name="fk_ledger_postings_patient_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "remittance_claim_id"],
            ["remittance_claims.tenant_id", "remittance_claims.id"],
            name="fk_ledger_postings_remittance_claim_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "remittance_id"],
            ["remittances.tenant_id", "remittances.id"],
            name="fk_ledger_postings_remittance_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_ledger_postings_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_postings")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_ledger_postings_tenant"),
        sa.UniqueConstraint("tenant_id", "payment_id", "cause", name="uq_ledger_postings_payment"),
        sa.UniqueConstraint("tenant_id", "remittance_claim_id", name="uq_ledger_postings_remittance_claim"),
    )
    op.create_index(
        "ix_ledger_postings_tenant_claim_id", "ledger_postings", ["tenant_id", "claim_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_ledger_postings_tenant_created_at", "ledger_postings", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_ledger_postings_tenant_patient_id",
        "ledger_postings",
        ["tenant_id", "patient_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_ledger_postings_tenant_remittance_id",
        "ledger_postings",
        ["tenant_id", "remittance_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "uq_ledger_postings_provider",
        "ledger_postings",
        ["tenant_id", "remittance_id"],
        unique=True,
        postgresql_where=sa.text("cause = 'provider_adjustment'"),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("posting_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("line_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("debit_account", sa.Text(), nullable=False),
        sa.Column("credit_account", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            f"kind IN ({_listed(dict.fromkeys(kind for kind, _, _ in _MOVEMENTS))})",
            name=op.f("ck_ledger_entries_kind"),
        ),
        sa.CheckConstraint(f"debit_account IN ({_listed(_ACCOUNTS)})", name=op.f("ck_ledger_entries_debit_account")),
        sa.CheckConstraint(f"credit_account IN ({_listed(_ACCOUNTS)})", name=op.f("ck_ledger_entries_credit_account")),
        sa.CheckConstraint(_movements(), name=op.f("ck_ledger_entries_movement")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_ledger_entries_amount")),
        sa.CheckConstraint("line_id IS NULL OR claim_id IS NOT NULL", name=op.f("ck_ledger_entries_line")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_ledger_entries_claim_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "line_id"], ["claim_lines.tenant_id", "claim_lines.id"], name="fk_ledger_entries_line_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "posting_id"],
            ["ledger_postings.tenant_id", "ledger_postings.id"],
            name="fk_ledger_entries_posting_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_ledger_entries_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
    )
    op.create_index(
        "ix_ledger_entries_tenant_claim_id", "ledger_entries", ["tenant_id", "claim_id", "id"], unique=False
    )
    op.create_index(
        "ix_ledger_entries_tenant_created_at", "ledger_entries", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index("ix_ledger_entries_tenant_posting_id", "ledger_entries", ["tenant_id", "posting_id"], unique=False)
    for table in ("received_files", "remittances", "remittance_claims"):
        secure(table)
    for table in ("ledger_postings", "ledger_entries"):
        secure(table, app="SELECT, INSERT")
        append_only(table)


def downgrade() -> None:
    for table in ("ledger_entries", "ledger_postings", "remittance_claims", "remittances", "received_files"):
        op.drop_table(table)
