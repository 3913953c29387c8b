"""NEMSIS exports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import secure

revision = "nemsis"
down_revision = "ems"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "nemsis_exports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("schema_build", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=True),
        sa.Column("validation_errors_json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("s3_key", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('pending_validation', 'validation_failed', 'ready_for_export', 'exported')",
            name=op.f("ck_nemsis_exports_status"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_nemsis_exports_patient_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_nemsis_exports_incident_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_nemsis_exports_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nemsis_exports")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_nemsis_exports_tenant"),
    )
    op.create_index(
        "ix_nemsis_exports_tenant_created_at", "nemsis_exports", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_nemsis_exports_tenant_incident_id",
        "nemsis_exports",
        ["tenant_id", "incident_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_nemsis_exports_tenant_status", "nemsis_exports", ["tenant_id", "status", "created_at"], unique=False
    )
    secure("nemsis_exports")


def downgrade() -> None:
    op.drop_table("nemsis_exports")
