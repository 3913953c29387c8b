"""What payers refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import secure

revision = "denials"
down_revision = "acknowledgements"
branch_labels = None
depends_on = None

_JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())


def upgrade() -> None:
    op.create_table(
        "denials",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("remittance_claim_id", sa.Uuid(), nullable=False),
        sa.Column("payer_record_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("codes", _JSON, nullable=False),
        sa.Column("remarks", _JSON, nullable=False),
        sa.Column("amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("appealable", sa.Boolean(), nullable=False),
        sa.Column("notice_on", sa.Date(), nullable=False),
        sa.Column("appeal_by", sa.Date(), nullable=True),
        sa.Column("assigned_to_user_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_denials_amount")),
        sa.CheckConstraint("status <> 'resolved' OR resolution IS NOT NULL", name=op.f("ck_denials_settled")),
        sa.CheckConstraint("resolution IN ('paid', 'reversed', 'superseded')", name=op.f("ck_denials_resolution")),
        sa.CheckConstraint(
            "category IN ('eligibility', 'other_payer', 'authorization', 'medical_necessity', 'documentation',"
            " 'coding', 'incomplete', 'duplicate', 'timely_filing', 'not_covered', 'benefit_limit', 'bundled',"
            " 'enrollment', 'contract', 'patient', 'pending', 'other')",
            name=op.f("ck_denials_category"),
        ),
        sa.CheckConstraint(
            "owner IN ('biller', 'registration', 'clinical', 'management')", name=op.f("ck_denials_owner")
        ),
        sa.CheckConstraint(
            "remedy IN ('correct', 'appeal', 'documents', 'other_payer', 'patient', 'wait', 'none')",
            name=op.f("ck_denials_remedy"),
        ),
        sa.CheckConstraint("status IN ('open', 'appealed', 'resolved', 'given_up')", name=op.f("ck_denials_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "assigned_to_user_id"], ["users.tenant_id", "users.id"], name="fk_denials_assigned_to_user_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_denials_claim_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payer_record_id"], ["payers.tenant_id", "payers.id"], name="fk_denials_payer_record_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "remittance_claim_id"],
            ["remittance_claims.tenant_id", "remittance_claims.id"],
            name="fk_denials_remittance_claim_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_denials_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_denials")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_denials_tenant"),
        sa.UniqueConstraint("tenant_id", "remittance_claim_id", name="uq_denials_remittance_claim"),
    )
    op.create_index("ix_denials_tenant_created_at", "denials", ["tenant_id", "created_at", "id"])
    op.create_index("ix_denials_tenant_status", "denials", ["tenant_id", "status", "created_at"])
    op.create_index("ix_denials_tenant_claim_id", "denials", ["tenant_id", "claim_id", "created_at"])
    op.create_index(
        "ix_denials_appeal_by",
        "denials",
        ["tenant_id", sa.text("(CASE WHEN (appeal_by IS NULL) THEN '2100-01-01'::date ELSE appeal_by END)"), "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_denials_appeal_due",
        "denials",
        ["tenant_id", "appeal_by", "claim_id"],
        postgresql_where=sa.text("status = 'open' AND appealable AND deleted_at IS NULL"),
    )
    secure("denials")


def downgrade() -> None:
    op.drop_table("denials")
