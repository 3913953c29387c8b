"""Indexes by which worklists are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "worklists"
down_revision = "fee_schedules"
branch_labels = None
depends_on = None

_LISTS = {
    "ready": "status = 'ready_to_export' AND deleted_at IS NULL",
    "awaiting_ack": "status IN ('exported', 'submitted') AND deleted_at IS NULL",
    "stale_evidence": "stale_since IS NOT NULL AND status <> 'closed' AND deleted_at IS NULL",
    "unassigned": "assigned_to_user_id IS NULL AND status IN ('pending_review', 'ready_to_export', 'denied',"
    " 'appeal_needed') AND deleted_at IS NULL",
}
_UNSENT = "status IN ('pending_review', 'ready_to_export', 'exported') AND deleted_at IS NULL"
_DAY = "(CASE WHEN (service_date IS NULL) THEN '2100-01-01'::date ELSE service_date END)"
_COUNTED = ["snoozed_until", "assigned_to_user_id"]


def upgrade() -> None:
    for name, condition in _LISTS.items():
        op.create_index(
            f"ix_claims_{name}",
            "claims",
            ["tenant_id", sa.text(_DAY), "id"],
            postgresql_where=sa.text(condition),
            postgresql_include=_COUNTED,
        )
    op.create_index(
        "ix_claims_unsent",
        "claims",
        ["tenant_id", "payer_record_id", "service_date", "id"],
        postgresql_where=sa.text(_UNSENT),
        postgresql_include=_COUNTED,
    )


def downgrade() -> None:
    for name in ("unsent", *_LISTS):
        op.drop_index(f"ix_claims_{name}", "claims")
