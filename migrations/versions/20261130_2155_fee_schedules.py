"""Fee schedules and their items; a line of a claim says which of them it was priced by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import secure

revision = "fee_schedules"
down_revision = "exemptions"
branch_labels = None
depends_on = None

# The day that the incident's times say. The next lock of a chart corrects a patient's own day.
_DATE_CLAIMS = """
UPDATE claims AS c SET service_date = (coalesce(i.depart_scene_time, i.dispatch_time) AT TIME ZONE t.time_zone)::date
FROM incidents AS i JOIN tenants AS t ON t.id = i.tenant_id
WHERE i.tenant_id = c.tenant_id AND i.id = c.incident_id
"""


def upgrade() -> None:
    op.create_table(
        "fee_schedules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payer_record_id", sa.Uuid(), nullable=True),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("items_revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('gross', 'contract')", name=op.f("ck_fee_schedules_kind")),
        sa.CheckConstraint("(kind = 'contract') = (payer_record_id IS NOT NULL)", name=op.f("ck_fee_schedules_payer")),
        sa.CheckConstraint("effective_to >= effective_from", name=op.f("ck_fee_schedules_effective")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payer_record_id"], ["payers.tenant_id", "payers.id"], name="fk_fee_schedules_payer_record_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_fee_schedules_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fee_schedules")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_fee_schedules_tenant"),
    )
    op.create_index("ix_fee_schedules_tenant_created_at", "fee_schedules", ["tenant_id", "created_at", "id"])
    op.create_index(
        "ix_fee_schedules_tenant_payer_record_id", "fee_schedules", ["tenant_id", "payer_record_id", "created_at"]
    )
    op.create_index(
        "uq_fee_schedules_name",
        "fee_schedules",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    secure("fee_schedules")
    op.create_table(
        "fee_schedule_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("hcpcs", sa.Text(), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_fee_schedule_items_unit_price")),
        sa.CheckConstraint("effective_to >= effective_from", name=op.f("ck_fee_schedule_items_effective")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "schedule_id"],
            ["fee_schedules.tenant_id", "fee_schedules.id"],
            name="fk_fee_schedule_items_schedule_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_fee_schedule_items_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fee_schedule_items")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_fee_schedule_items_tenant"),
    )
    op.create_index("ix_fee_schedule_items_tenant_created_at", "fee_schedule_items", ["tenant_id", "created_at", "id"])
    op.create_index("ix_fee_schedule_items_tenant_hcpcs", "fee_schedule_items", ["tenant_id", "hcpcs", "schedule_id"])
    op.create_index(
        "ix_fee_schedule_items_tenant_schedule_id", "fee_schedule_items", ["tenant_id", "schedule_id", "created_at"]
    )
    secure("fee_schedule_items")
    op.create_table(
        "claim_repricings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("schedule_version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("old_charge", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("new_charge", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_claim_repricings_claim_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "schedule_id"],
            ["fee_schedules.tenant_id", "fee_schedules.id"],
            name="fk_claim_repricings_schedule_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_claim_repricings_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_repricings")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_claim_repricings_tenant"),
    )
    for column in ("schedule_id", "claim_id"):
        op.create_index(f"ix_claim_repricings_tenant_{column}", "claim_repricings", ["tenant_id", column, "created_at"])
    op.create_index("ix_claim_repricings_tenant_created_at", "claim_repricings", ["tenant_id", "created_at", "id"])
    secure("claim_repricings")
    op.add_column("claims", sa.Column("service_date", sa.Date(), nullable=True))
    op.execute(_DATE_CLAIMS)
    op.add_column("claim_lines", sa.Column("fee_item_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_claim_lines_fee_item_id",
        "claim_lines",
        "fee_schedule_items",
        ["tenant_id", "fee_item_id"],
        ["tenant_id", "id"],
    )


def downgrade() -> None:
    op.drop_constraint("fk_claim_lines_fee_item_id", "claim_lines", type_="foreignkey")
    op.drop_column("claim_lines", "fee_item_id")
    op.drop_column("claims", "service_date")
    op.drop_table("claim_repricings")
    op.drop_table("fee_schedule_items")
    op.drop_table("fee_schedules")
