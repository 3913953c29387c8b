"""Devices of sessions, how long sessions on them may rest, and an index of the sessions that live."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "devices"
down_revision = "authors"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user_sessions", sa.Column("device_id", sa.Uuid(), nullable=True))
    op.add_column("user_sessions", sa.Column("device_name", sa.Text(), nullable=True))
    op.add_column(
        "user_sessions", sa.Column("locks_itself", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.create_index(
        "ix_user_sessions_active",
        "user_sessions",
        ["tenant_id", "expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.add_column("tenants", sa.Column("device_idle_minutes", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("tenants", "device_idle_minutes")
    op.drop_index("ix_user_sessions_active", table_name="user_sessions", postgresql_where=sa.text("status = 'active'"))
    op.drop_column("user_sessions", "locks_itself")
    op.drop_column("user_sessions", "device_name")
    op.drop_column("user_sessions", "device_id")
