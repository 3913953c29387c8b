"""Several files per export, in more formats, with their hashes; clearinghouses."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import secure

revision = "claim_files"
down_revision = "billing_parties"
branch_labels = None
depends_on = None

_COLUMNS: dict[str, Any] = {
    "file_name": sa.Text(),
    "size_bytes": sa.Integer(),
    "sha256": sa.Text(),
    "transaction_set": sa.Integer(),
}


def upgrade() -> None:
    op.add_column("claim_exports", sa.Column("file_number", sa.Integer(), server_default=sa.text("1"), nullable=False))
    for name, kind in _COLUMNS.items():
        op.add_column("claim_exports", sa.Column(name, kind, nullable=True))
    op.drop_constraint(op.f("ck_claim_exports_format"), "claim_exports", type_="check")
    op.create_check_constraint(
        op.f("ck_claim_exports_format"), "claim_exports", "format IN ('837P', 'CMS-1500', 'CSV')"
    )
    op.create_table(
        "clearinghouses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("submitter_qualifier", sa.Text(), nullable=True),
        sa.Column("submitter_id", sa.Text(), nullable=True),
        sa.Column("receiver_qualifier", sa.Text(), nullable=True),
        sa.Column("receiver_id", sa.Text(), nullable=True),
        sa.Column("receiver_id_qualifier", sa.Text(), server_default="46", nullable=False),
        sa.Column("application_sender_code", sa.Text(), nullable=True),
        sa.Column("application_receiver_code", sa.Text(), nullable=True),
        sa.Column("acknowledgment_requested", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("test_files", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("file_name", sa.Text(), server_default="837P_{number}.txt", nullable=False),
        sa.Column("test_file_name", sa.Text(), server_default="OATEST_837P_{number}.txt", nullable=False),
        sa.Column("delivery", sa.Text(), server_default="directory", nullable=False),
        sa.Column("sftp_host", sa.Text(), nullable=True),
        sa.Column("sftp_port", sa.Integer(), server_default=sa.text("22"), nullable=False),
        sa.Column("sftp_directory", sa.Text(), server_default="/inbound", nullable=False),
        sa.Column("sftp_host_key", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("delivery IN ('directory', 'sftp')", name=op.f("ck_clearinghouses_delivery")),
        sa.CheckConstraint(
            "receiver_id_qualifier IN ('46', 'PI')", name=op.f("ck_clearinghouses_receiver_id_qualifier")
        ),
        sa.CheckConstraint(
            "delivery <> 'sftp' OR (sftp_host IS NOT NULL AND sftp_host_key IS NOT NULL)",
            name=op.f("ck_clearinghouses_sftp_pinned"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_clearinghouses_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearinghouses")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_clearinghouses_tenant"),
    )
    op.create_index("ix_clearinghouses_tenant_created_at", "clearinghouses", ["tenant_id", "created_at", "id"])
    live = "deleted_at IS NULL"
    op.create_index(
        "uq_clearinghouses_name", "clearinghouses", ["tenant_id", "name"], unique=True, postgresql_where=sa.text(live)
    )
    op.create_index(
        "uq_clearinghouses_sftp",
        "clearinghouses",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text(f"{live} AND delivery = 'sftp'"),
    )
    secure("clearinghouses")


def downgrade() -> None:
    op.drop_table("clearinghouses")
    op.drop_constraint(op.f("ck_claim_exports_format"), "claim_exports", type_="check")
    op.create_check_constraint(op.f("ck_claim_exports_format"), "claim_exports", "format IN ('837P')")
    for name in ("file_number", *_COLUMNS):
        op.drop_column("claim_exports", name)
