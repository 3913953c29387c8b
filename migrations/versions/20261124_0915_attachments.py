"""Attachments and signatures of a chart; whether an agency completes charts without the crew's signature."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import secure

revision = "attachments"
down_revision = "coding"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attachments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("s3_key", sa.Text(), nullable=True),
        sa.Column("file_name", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("file_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("stored_size_bytes", sa.Integer(), nullable=True),
        sa.Column("stored_sha256", sa.Text(), nullable=True),
        sa.Column("uploaded_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("rejection_code", sa.Text(), nullable=True),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "file_type IN ('image/jpeg', 'image/png', 'image/svg+xml', 'application/pdf', 'application/xml',"
            " 'audio/wav', 'audio/mpeg')",
            name=op.f("ck_attachments_file_type"),
        ),
        sa.CheckConstraint(
            "rejection_code IN ('wrong_size', 'wrong_hash', 'wrong_type', 'malformed')",
            name=op.f("ck_attachments_rejection_code"),
        ),
        sa.CheckConstraint("status IN ('pending', 'stored', 'rejected')", name=op.f("ck_attachments_status")),
        sa.CheckConstraint("size_bytes BETWEEN 1 AND 52428800", name=op.f("ck_attachments_size_bytes")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_attachments_patient_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_attachments_incident_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_attachments_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_attachments_tenant"),
    )
    op.create_index("ix_attachments_tenant_created_at", "attachments", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_attachments_tenant_incident_id", "attachments", ["tenant_id", "incident_id", "created_at"], unique=False
    )
    op.create_index("ix_attachments_tenant_status", "attachments", ["tenant_id", "status", "created_at"], unique=False)
    op.create_table(
        "signatures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("signature_blob_ref", sa.Text(), nullable=True),
        sa.Column("signer_role", sa.Text(), nullable=False),
        sa.Column("signer_name", sa.Text(), nullable=False),
        sa.Column("statement_code", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("covered_json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("file_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("stored_size_bytes", sa.Integer(), nullable=True),
        sa.Column("stored_sha256", sa.Text(), nullable=True),
        sa.Column("uploaded_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("rejection_code", sa.Text(), nullable=True),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "file_type IN ('image/jpeg', 'image/png', 'image/svg+xml', 'application/pdf', 'application/xml',"
            " 'audio/wav', 'audio/mpeg')",
            name=op.f("ck_signatures_file_type"),
        ),
        sa.CheckConstraint(
            "rejection_code IN ('wrong_size', 'wrong_hash', 'wrong_type', 'malformed')",
            name=op.f("ck_signatures_rejection_code"),
        ),
        sa.CheckConstraint("signer_role IN ('patient', 'guardian', 'crew')", name=op.f("ck_signatures_signer_role")),
        sa.CheckConstraint(
            "statement_code IN ('consent_to_treat', 'assignment_of_benefits', 'refusal', 'receipt_of_privacy_notice',"
            " 'crew_attestation')",
            name=op.f("ck_signatures_statement_code"),
        ),
        sa.CheckConstraint("status IN ('pending', 'signed', 'rejected', 'voided')", name=op.f("ck_signatures_status")),
        sa.CheckConstraint("size_bytes BETWEEN 1 AND 200000", name=op.f("ck_signatures_size_bytes")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_signatures_patient_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_signatures_incident_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_signatures_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signatures")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_signatures_tenant"),
    )
    op.create_index("ix_signatures_tenant_created_at", "signatures", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_signatures_tenant_incident_id", "signatures", ["tenant_id", "incident_id", "created_at"], unique=False
    )
    op.create_index("ix_signatures_tenant_status", "signatures", ["tenant_id", "status", "created_at"], unique=False)
    op.add_column(
        "tenants", sa.Column("require_crew_signature", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    secure("attachments")
    secure("signatures")


def downgrade() -> None:
    op.drop_column("tenants", "require_crew_signature")
    op.drop_index("ix_signatures_tenant_status", table_name="signatures")
    op.drop_index("ix_signatures_tenant_incident_id", table_name="signatures")
    op.drop_index("ix_signatures_tenant_created_at", table_name="signatures")
    op.drop_table("signatures")
    op.drop_index("ix_attachments_tenant_status", table_name="attachments")
    op.drop_index("ix_attachments_tenant_incident_id", table_name="attachments")
    op.drop_index("ix_attachments_tenant_created_at", table_name="attachments")
    op.drop_table("attachments")
