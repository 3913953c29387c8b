"""Entries that came in after their chart was submitted, until its author or a reviewer decides."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import secure

revision = "late_entries"
down_revision = "recall"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "late_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("charted_by", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("body", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("refusal_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('pending', 'admitted', 'refused')", name=op.f("ck_late_entries_status")),
        *(
            sa.ForeignKeyConstraint(
                ["tenant_id", name], ["users.tenant_id", "users.id"], name=f"fk_late_entries_{name}"
            )
            for name in ("charted_by", "author_id", "submitted_by", "decided_by")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_late_entries_incident_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_late_entries_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_entries")),
        sa.UniqueConstraint("tenant_id", "entity_id", name="uq_late_entries_entity_id"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_late_entries_tenant"),
    )
    op.create_index("ix_late_entries_tenant_created_at", "late_entries", ["tenant_id", "created_at", "id"])
    op.create_index("ix_late_entries_tenant_incident_id", "late_entries", ["tenant_id", "incident_id", "created_at"])
    op.create_index("ix_late_entries_tenant_status", "late_entries", ["tenant_id", "status", "created_at"])
    secure("late_entries")


def downgrade() -> None:
    op.drop_table("late_entries")
