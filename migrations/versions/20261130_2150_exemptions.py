"""Reasons why a locked chart has no claim."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import secure

revision = "exemptions"
down_revision = "account_matching"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "claim_exemptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("origin IN ('derived', 'entered')", name=op.f("ck_claim_exemptions_origin")),
        sa.CheckConstraint(
            "reason IN ('cancelled', 'no_patient', 'other_unit', 'no_transport', 'contract', 'charity',"
            " 'other_agency_bills')",
            name=op.f("ck_claim_exemptions_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name="fk_claim_exemptions_incident_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_claim_exemptions_patient_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_claim_exemptions_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_exemptions")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_claim_exemptions_tenant"),
    )
    for column in ("incident_id", "reason"):
        op.create_index(f"ix_claim_exemptions_tenant_{column}", "claim_exemptions", ["tenant_id", column, "created_at"])
    op.create_index("ix_claim_exemptions_tenant_created_at", "claim_exemptions", ["tenant_id", "created_at", "id"])
    op.create_index(
        "uq_claim_exemptions_patient",
        "claim_exemptions",
        ["tenant_id", "incident_id", "patient_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_claim_exemptions_call",
        "claim_exemptions",
        ["tenant_id", "incident_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL AND patient_id IS NULL"),
    )
    secure("claim_exemptions")


def downgrade() -> None:
    op.drop_table("claim_exemptions")
