"""Physician certification statements and advance beneficiary notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import secure

revision = "paperwork"
down_revision = "worklists"
branch_labels = None
depends_on = None

_ROLES = (
    "'physician', 'physician_assistant', 'nurse_practitioner', 'clinical_nurse_specialist', 'registered_nurse',"
    " 'licensed_practical_nurse', 'social_worker', 'case_manager', 'discharge_planner'"
)


def _paper(table: str, *own: sa.schema.SchemaItem) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("signer_name", sa.Text(), nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("attachment_id", sa.Uuid(), nullable=True),
        *own,
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name=f"fk_{table}_patient_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "attachment_id"],
            ["attachments.tenant_id", "attachments.id"],
            name=f"fk_{table}_attachment_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=f"fk_{table}_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("tenant_id", "id", name=f"uq_{table}_tenant"),
    )
    for column in ("incident_id", "patient_id"):
        op.create_index(f"ix_{table}_tenant_{column}", table, ["tenant_id", column, "created_at"])
    op.create_index(f"ix_{table}_tenant_created_at", table, ["tenant_id", "created_at", "id"])
    secure(table)


def upgrade() -> None:
    _paper(
        "certificates",
        sa.Column("signer_role", sa.Text(), nullable=True),
        sa.Column("is_repetitive", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("attempted_on", sa.Date(), nullable=True),
        sa.Column("attempt", sa.Text(), nullable=True),
        sa.CheckConstraint(f"signer_role IN ({_ROLES})", name=op.f("ck_certificates_signer_role")),
        sa.CheckConstraint("signed_on IS NOT NULL OR attempted_on IS NOT NULL", name=op.f("ck_certificates_basis")),
        sa.CheckConstraint(
            "is_repetitive = (valid_from IS NOT NULL) AND is_repetitive = (valid_to IS NOT NULL)",
            name=op.f("ck_certificates_validity"),
        ),
    )
    _paper(
        "advance_notices",
        sa.Column("option", sa.Text(), nullable=False),
        sa.Column("is_voluntary", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("estimated_cost", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.CheckConstraint("option IN ('1', '2', '3')", name=op.f("ck_advance_notices_option")),
        sa.CheckConstraint("signed_on IS NOT NULL", name=op.f("ck_advance_notices_signed")),
        sa.CheckConstraint("estimated_cost >= 0", name=op.f("ck_advance_notices_estimated_cost")),
    )


def downgrade() -> None:
    op.drop_table("advance_notices")
    op.drop_table("certificates")
