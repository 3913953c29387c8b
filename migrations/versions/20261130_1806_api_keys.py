"""External API keys: their end, their last use, the index and the right by which they are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import SYSTEM

revision = "api_keys"
down_revision = "devices"
branch_labels = None
depends_on = None
TABLE = "external_api_keys"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=True))
    op.add_column(TABLE, sa.Column("last_used_on", sa.Date(), nullable=True))
    op.create_index("ix_external_api_keys_secret_hash", TABLE, ["secret_hash"], unique=False)
    # A key names no tenant, so the system finds it by its digest.
    op.execute(f"CREATE POLICY system_all ON {TABLE} TO {SYSTEM} USING (true) WITH CHECK (true)")
    op.execute(f"GRANT SELECT ON {TABLE} TO {SYSTEM}")


def downgrade() -> None:
    op.execute(f"REVOKE SELECT ON {TABLE} FROM {SYSTEM}")
    op.execute(f"DROP POLICY system_all ON {TABLE}")
    op.drop_index("ix_external_api_keys_secret_hash", table_name=TABLE)
    op.drop_column(TABLE, "last_used_on")
    op.drop_column(TABLE, "expires_at")
