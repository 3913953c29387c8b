"""What clearinghouses and payers say about claims before they are decided."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import secure

revision = "acknowledgements"
down_revision = "ledger"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "claim_acknowledgements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("claim_number", sa.Text(), nullable=True),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("codes", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("advice", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("messages", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("payer_control_number", sa.Text(), nullable=True),
        sa.Column("clearinghouse_number", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(claim_id IS NULL) = (effect = 'unknown_claim')", name=op.f("ck_claim_acknowledgements_claim_id")
        ),
        sa.CheckConstraint(
            "authority IN ('receiver', 'clearinghouse', 'payer')", name=op.f("ck_claim_acknowledgements_authority")
        ),
        sa.CheckConstraint(
            "effect IN ('submitted', 'rejected', 'none', 'outdated', 'unknown_claim')",
            name=op.f("ck_claim_acknowledgements_effect"),
        ),
        sa.CheckConstraint(
            "verdict IN ('accepted', 'rejected', 'pending')", name=op.f("ck_claim_acknowledgements_verdict")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_claim_acknowledgements_claim_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"],
            ["received_files.tenant_id", "received_files.id"],
            name="fk_claim_acknowledgements_file_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_claim_acknowledgements_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_acknowledgements")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_claim_acknowledgements_tenant"),
    )
    op.create_index(
        "ix_claim_acknowledgements_tenant_claim_id",
        "claim_acknowledgements",
        ["tenant_id", "claim_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_claim_acknowledgements_tenant_created_at",
        "claim_acknowledgements",
        ["tenant_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_claim_acknowledgements_tenant_file_id",
        "claim_acknowledgements",
        ["tenant_id", "file_id", "created_at"],
        unique=False,
    )
    op.create_index("ix_claim_exports_tenant_control_number", "claim_exports", ["tenant_id", "control_number"])
    secure("claim_acknowledgements")


def downgrade() -> None:
    op.drop_index("ix_claim_exports_tenant_control_number", "claim_exports")
    op.drop_table("claim_acknowledgements")
