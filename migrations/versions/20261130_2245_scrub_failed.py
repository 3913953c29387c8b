"""The index by which claims under review are found that a blocking edit keeps from approval."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "scrub_failed"
down_revision = "claim_scrubs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_claims_scrub_failed",
        "claims",
        [
            "tenant_id",
            sa.text("(CASE WHEN (service_date IS NULL) THEN '2100-01-01'::date ELSE service_date END)"),
            "id",
        ],
        postgresql_where=sa.text("status = 'pending_review' AND blocking_edits > 0 AND deleted_at IS NULL"),
        postgresql_include=["snoozed_until", "assigned_to_user_id"],
    )


def downgrade() -> None:
    op.drop_index("ix_claims_scrub_failed", "claims")
