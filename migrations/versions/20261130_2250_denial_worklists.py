"""What worklists of rejected and denied claims are found by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "denial_worklists"
down_revision = "scrub_failed"
branch_labels = None
depends_on = None

_LISTS = {
    "rejected": "rejected_at IS NOT NULL AND status = 'pending_review' AND deleted_at IS NULL",
    "denied": "status IN ('denied', 'appeal_needed') AND deleted_at IS NULL",
}
_DAY = "(CASE WHEN (service_date IS NULL) THEN '2100-01-01'::date ELSE service_date END)"


def upgrade() -> None:
    op.add_column("claims", sa.Column("rejected_at", sa.TIMESTAMP(timezone=True), nullable=True))
    for name, condition in _LISTS.items():
        op.create_index(
            f"ix_claims_{name}",
            "claims",
            ["tenant_id", sa.text(_DAY), "id"],
            postgresql_where=sa.text(condition),
            postgresql_include=["snoozed_until", "assigned_to_user_id"],
        )


def downgrade() -> None:
    for name in _LISTS:
        op.drop_index(f"ix_claims_{name}", "claims")
    op.drop_column("claims", "rejected_at")
