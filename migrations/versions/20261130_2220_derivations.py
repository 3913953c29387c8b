"""Derivations of claims with their overrides, and acts of advanced life support."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import secure

revision = "derivations"
down_revision = ("claim_deliveries", "paperwork")
branch_labels = None
depends_on = None

_JSONB = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())


def _standard(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=f"fk_{table}_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("tenant_id", "id", name=f"uq_{table}_tenant"),
    ]


def upgrade() -> None:
    op.create_table(
        "als_acts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('procedure', 'medication', 'route')", name=op.f("ck_als_acts_kind")),
        sa.CheckConstraint("level IN ('bls', 'aemt', 'paramedic')", name=op.f("ck_als_acts_level")),
        sa.CheckConstraint("effective_to >= effective_from", name=op.f("ck_als_acts_effective_to")),
        *_standard("als_acts"),
    )
    op.create_index("ix_als_acts_tenant_created_at", "als_acts", ["tenant_id", "created_at", "id"])
    op.create_index(
        "uq_als_acts_code",
        "als_acts",
        ["tenant_id", "state", "kind", "effective_from", "code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    secure("als_acts")
    op.create_table(
        "claim_derivations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("derived_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("values_json", _JSONB, nullable=False),
        sa.Column("applied", _JSONB, nullable=False),
        sa.Column("lines", _JSONB, nullable=False),
        sa.Column("entries", _JSONB, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_claim_derivations_claim_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_claim_derivations_patient_id",
        ),
        *_standard("claim_derivations"),
    )
    for column in ("claim_id", "incident_id"):
        op.create_index(
            f"ix_claim_derivations_tenant_{column}", "claim_derivations", ["tenant_id", column, "created_at"]
        )
    op.create_index("ix_claim_derivations_tenant_created_at", "claim_derivations", ["tenant_id", "created_at", "id"])
    op.create_index(
        "uq_claim_derivations_claim",
        "claim_derivations",
        ["tenant_id", "claim_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    secure("claim_derivations")
    op.create_table(
        "claim_overrides",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", _JSONB, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_user_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_claim_overrides_claim_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "by_user_id"], ["users.tenant_id", "users.id"], name="fk_claim_overrides_by_user_id"
        ),
        *_standard("claim_overrides"),
    )
    for column in ("claim_id", "incident_id"):
        op.create_index(f"ix_claim_overrides_tenant_{column}", "claim_overrides", ["tenant_id", column, "created_at"])
    op.create_index("ix_claim_overrides_tenant_created_at", "claim_overrides", ["tenant_id", "created_at", "id"])
    op.create_index(
        "uq_claim_overrides_name",
        "claim_overrides",
        ["tenant_id", "claim_id", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    secure("claim_overrides")


def downgrade() -> None:
    for table in ("claim_overrides", "claim_derivations", "als_acts"):
        op.drop_table(table)
