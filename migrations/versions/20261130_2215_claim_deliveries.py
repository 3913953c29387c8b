"""Deliveries of claim files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import secure

revision = "claim_deliveries"
down_revision = "claim_files"
branch_labels = None
depends_on = None

_CHECKS = {
    "channel": "channel IN ('directory', 'sftp')",
    "failure_code": "failure_code IN ('UNAVAILABLE', 'UNANSWERED', 'INCOMPLETE', 'HOST_KEY', 'LOGIN_MISSING',"
    " 'LOGIN_REFUSED', 'DIRECTORY_REFUSED', 'NAME_TAKEN', 'NOT_SEEN', 'FILE_CHANGED', 'NOT_CONFIGURED',"
    " 'LEASE_EXPIRED')",
    "clearinghouse_id": "channel <> 'sftp' OR clearinghouse_id IS NOT NULL",
    "succeeded": "status <> 'succeeded' OR delivered_at IS NOT NULL",
    "status": "status IN ('queued', 'running', 'succeeded', 'failed')",
}


def upgrade() -> None:
    op.create_table(
        "claim_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("file_number", sa.Integer(), nullable=False),
        sa.Column("artifact_key", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("clearinghouse_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("delivered_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        *(
            sa.CheckConstraint(condition, name=op.f(f"ck_claim_deliveries_{name}"))
            for name, condition in _CHECKS.items()
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_claim_deliveries_tenant"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clearinghouse_id"],
            ["clearinghouses.tenant_id", "clearinghouses.id"],
            name="fk_claim_deliveries_clearinghouse_id",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_deliveries")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_claim_deliveries_tenant"),
    )
    op.create_index("ix_claim_deliveries_tenant_created_at", "claim_deliveries", ["tenant_id", "created_at", "id"])
    for column in ("status", "export_id"):
        op.create_index(f"ix_claim_deliveries_tenant_{column}", "claim_deliveries", ["tenant_id", column, "created_at"])
    op.create_index(
        "ix_claim_deliveries_lease_until",
        "claim_deliveries",
        ["lease_until"],
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    secure("claim_deliveries", system="SELECT")


def downgrade() -> None:
    op.drop_table("claim_deliveries")
