"""Secrets of an agency, encrypted."""

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import secure

revision = "tenant_secrets"
down_revision = "receipt_bodies"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tenant_secrets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("current_number", sa.Integer(), nullable=False),
        sa.Column("current_sealed", sa.Text(), nullable=True),
        sa.Column("current_set_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("previous_number", sa.Integer(), nullable=True),
        sa.Column("previous_sealed", sa.Text(), nullable=True),
        sa.Column("previous_set_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(deleted_at IS NULL) = (current_sealed IS NOT NULL)", name=op.f("ck_tenant_secrets_sealed")
        ),
        sa.CheckConstraint(
            "(previous_number IS NULL) = (previous_sealed IS NULL)"
            " AND (previous_number IS NULL) = (previous_set_at IS NULL)"
            " AND previous_number < current_number",
            name=op.f("ck_tenant_secrets_previous"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_tenant_secrets_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant_secrets")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_tenant_secrets_tenant"),
    )
    op.create_index(
        "ix_tenant_secrets_tenant_created_at", "tenant_secrets", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "uq_tenant_secrets_name",
        "tenant_secrets",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    secure("tenant_secrets")


def downgrade() -> None:
    op.drop_index("uq_tenant_secrets_name", table_name="tenant_secrets", postgresql_where=sa.text("deleted_at IS NULL"))
    op.drop_index("ix_tenant_secrets_tenant_created_at", table_name="tenant_secrets")
    op.drop_table("tenant_secrets")
