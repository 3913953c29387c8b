"""Appeals against what payers refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import secure

revision = "appeals"
down_revision = "denials"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "appeals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("denial_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("against_on", sa.Date(), nullable=False),
        sa.Column("file_by", sa.Date(), nullable=True),
        sa.Column("letter", sa.Text(), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("awarded_amount", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("level BETWEEN 1 AND 5", name=op.f("ck_appeals_level")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_appeals_amount")),
        sa.CheckConstraint("awarded_amount BETWEEN 0 AND amount", name=op.f("ck_appeals_awarded_amount")),
        sa.CheckConstraint(
            "status NOT IN ('filed', 'won', 'partly_won', 'lost') OR filed_on IS NOT NULL",
            name=op.f("ck_appeals_filed"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('won', 'partly_won', 'lost') OR (decided_on IS NOT NULL AND awarded_amount IS NOT NULL)",
            name=op.f("ck_appeals_decided"),
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'filed', 'won', 'partly_won', 'lost', 'withdrawn')", name=op.f("ck_appeals_status")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_appeals_claim_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "denial_id"], ["denials.tenant_id", "denials.id"], name="fk_appeals_denial_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_appeals_incident_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_appeals_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_appeals_tenant"),
    )
    op.create_index("ix_appeals_tenant_created_at", "appeals", ["tenant_id", "created_at", "id"])
    for column in ("status", "incident_id", "claim_id", "denial_id"):
        op.create_index(f"ix_appeals_tenant_{column}", "appeals", ["tenant_id", column, "created_at"])
    op.create_index(
        "uq_appeals_level",
        "appeals",
        ["tenant_id", "denial_id", "level"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL AND status <> 'withdrawn'"),
    )
    secure("appeals")


def downgrade() -> None:
    op.drop_table("appeals")
