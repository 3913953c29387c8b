"""Billing: claims, their lines, the record of exports, and the numbers that claims and files carry."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import APP, append_only, secure

revision = "billing"
down_revision = "nemsis"
branch_labels = None
depends_on = None

# ISA13 and GS06 have nine digits at most. A number is never given twice, so the sequences do not cycle.
SEQUENCES = ("claim_numbers", "interchange_control_numbers")
HIGHEST = 999_999_999


def upgrade() -> None:
    op.create_table(
        "claims",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("claim_number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("payer_sequence", sa.Text(), server_default="P", nullable=False),
        sa.Column("payer_name", sa.Text(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=False),
        sa.Column("claim_filing_code", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("group_number", sa.Text(), nullable=True),
        sa.Column("prior_authorization", sa.Text(), nullable=True),
        sa.Column("icd10_primary", sa.Text(), nullable=False),
        sa.Column("diagnoses", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("charge_amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("patient_responsibility_amount", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("denial_reason", sa.Text(), nullable=True),
        sa.Column("submitted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("paid_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("place_of_service", sa.Text(), nullable=False),
        sa.Column("patient_count", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("loaded_miles", sa.Numeric(precision=6, scale=1), nullable=False),
        sa.Column("weight_lb", sa.Numeric(precision=6, scale=2), nullable=True),
        sa.Column("transport_reason", sa.Text(), nullable=False),
        sa.Column("round_trip_purpose", sa.Text(), nullable=True),
        sa.Column("stretcher_purpose", sa.Text(), nullable=True),
        sa.Column("certifications", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("accident", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("signature_on_file", sa.Boolean(), nullable=True),
        sa.Column("accepts_assignment", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("lines_revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("payer_sequence = 'P'", name=op.f("ck_claims_payer_sequence")),
        sa.CheckConstraint("status <> 'paid' OR paid_at IS NOT NULL", name=op.f("ck_claims_paid")),
        sa.CheckConstraint("status <> 'submitted' OR submitted_at IS NOT NULL", name=op.f("ck_claims_submitted")),
        sa.CheckConstraint(
            "status IN ('pending_review', 'ready_to_export', 'exported', 'submitted', 'paid', 'denied',"
            " 'appeal_needed', 'closed')",
            name=op.f("ck_claims_status"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('denied', 'appeal_needed') OR denial_reason IS NOT NULL", name=op.f("ck_claims_denied")
        ),
        sa.CheckConstraint("charge_amount >= 0", name=op.f("ck_claims_charge_amount")),
        sa.CheckConstraint("icd10_primary = diagnoses ->> 0", name=op.f("ck_claims_primary_diagnosis")),
        sa.CheckConstraint(
            "patient_responsibility_amount BETWEEN 0 AND charge_amount",
            name=op.f("ck_claims_patient_responsibility_amount"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_claims_patient_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_claims_incident_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_claims_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
        sa.UniqueConstraint("tenant_id", "claim_number", name="uq_claims_number"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_claims_tenant"),
    )
    op.create_index("ix_claims_tenant_created_at", "claims", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index("ix_claims_tenant_incident_id", "claims", ["tenant_id", "incident_id", "created_at"], unique=False)
    op.create_index("ix_claims_tenant_patient_id", "claims", ["tenant_id", "patient_id", "created_at"], unique=False)
    op.create_index("ix_claims_tenant_payer_id", "claims", ["tenant_id", "payer_id", "created_at"], unique=False)
    op.create_index("ix_claims_tenant_status", "claims", ["tenant_id", "status", "created_at"], unique=False)
    op.create_index(
        "uq_claims_series",
        "claims",
        ["tenant_id", "incident_id", "patient_id", "payer_sequence"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "claim_exports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("artifact_key", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("control_number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("format IN ('837P')", name=op.f("ck_claim_exports_format")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_claim_exports_claim_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_claim_exports_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_exports")),
        sa.UniqueConstraint("tenant_id", "export_id", "claim_id", name="uq_claim_exports_claim"),
    )
    op.create_index(
        "ix_claim_exports_tenant_claim_id", "claim_exports", ["tenant_id", "claim_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_claim_exports_tenant_created_at", "claim_exports", ["tenant_id", "created_at", "export_id"], unique=False
    )
    op.create_table(
        "claim_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("line_number", sa.Integer(), nullable=False),
        sa.Column("hcpcs", sa.Text(), nullable=False),
        sa.Column("modifiers", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("units", sa.Numeric(precision=6, scale=1), nullable=False),
        sa.Column("charge", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("diagnosis_pointers", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("charge >= 0", name=op.f("ck_claim_lines_charge")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_claim_lines_claim_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_claim_lines_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_lines")),
        sa.UniqueConstraint("tenant_id", "claim_id", "line_number", name="uq_claim_lines_number"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_claim_lines_tenant"),
    )
    op.create_index(
        "ix_claim_lines_tenant_claim_id", "claim_lines", ["tenant_id", "claim_id", "created_at"], unique=False
    )
    op.create_index("ix_claim_lines_tenant_created_at", "claim_lines", ["tenant_id", "created_at", "id"], unique=False)
    secure("claims")
    secure("claim_lines")
    secure("claim_exports", app="SELECT, INSERT")
    append_only("claim_exports")
    for sequence in SEQUENCES:
        op.execute(f"CREATE SEQUENCE {sequence} MAXVALUE {HIGHEST} NO CYCLE")
        op.execute(f"GRANT USAGE ON SEQUENCE {sequence} TO {APP}")


def downgrade() -> None:
    for sequence in SEQUENCES:
        op.execute(f"DROP SEQUENCE {sequence}")
    for table in ("claim_lines", "claim_exports", "claims"):
        op.drop_table(table)
