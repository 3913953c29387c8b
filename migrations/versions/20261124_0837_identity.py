"""Identity: sessions, account tokens; an invited user has no password, and a deleted one frees the e-mail address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import secure

revision = "identity"
down_revision = "billing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("purpose IN ('invitation', 'password_reset')", name=op.f("ck_account_tokens_purpose")),
        sa.CheckConstraint("status IN ('issued', 'used', 'withdrawn')", name=op.f("ck_account_tokens_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name="fk_account_tokens_user_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_account_tokens_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_tokens")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_account_tokens_tenant"),
    )
    op.create_index(
        "ix_account_tokens_tenant_created_at", "account_tokens", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_account_tokens_tenant_status", "account_tokens", ["tenant_id", "status", "created_at"], unique=False
    )
    op.create_index(
        "ix_account_tokens_tenant_user_id", "account_tokens", ["tenant_id", "user_id", "status"], unique=False
    )
    op.create_table(
        "user_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rotated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("rotation_key", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('active', 'ended')", name=op.f("ck_user_sessions_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name="fk_user_sessions_user_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_user_sessions_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_user_sessions_tenant"),
    )
    op.create_index(
        "ix_user_sessions_ended_at",
        "user_sessions",
        ["ended_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    op.create_index(
        "ix_user_sessions_tenant_created_at", "user_sessions", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_user_sessions_tenant_status", "user_sessions", ["tenant_id", "status", "created_at"], unique=False
    )
    op.create_index(
        "ix_user_sessions_tenant_user_id", "user_sessions", ["tenant_id", "user_id", "status"], unique=False
    )
    op.alter_column("users", "password_hash", existing_type=sa.TEXT(), nullable=True)
    op.drop_constraint(op.f("uq_users_email"), "users", type_="unique")
    op.create_index(
        "uq_users_email", "users", ["tenant_id", "email"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )
    secure("account_tokens")
    secure("user_sessions", system="SELECT")


def downgrade() -> None:
    op.drop_index("uq_users_email", table_name="users", postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_unique_constraint(op.f("uq_users_email"), "users", ["tenant_id", "email"])
    op.execute("UPDATE users SET password_hash = '' WHERE password_hash IS NULL")
    op.alter_column("users", "password_hash", existing_type=sa.TEXT(), nullable=False)
    op.drop_index("ix_user_sessions_tenant_user_id", table_name="user_sessions")
    op.drop_index("ix_user_sessions_tenant_status", table_name="user_sessions")
    op.drop_index("ix_user_sessions_tenant_created_at", table_name="user_sessions")
    op.drop_index(
        "ix_user_sessions_ended_at", table_name="user_sessions", postgresql_where=sa.text("ended_at IS NOT NULL")
    )
    op.drop_table("user_sessions")
    op.drop_index("ix_account_tokens_tenant_user_id", table_name="account_tokens")
    op.drop_index("ix_account_tokens_tenant_status", table_name="account_tokens")
    op.drop_index("ix_account_tokens_tenant_created_at", table_name="account_tokens")
    op.drop_table("account_tokens")
