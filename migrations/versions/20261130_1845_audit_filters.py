"""Each filter of the audit log has an index in the order of the log."""

from __future__ import annotations

from alembic import op

revision = "audit_filters"
down_revision = "find"
branch_labels = None
depends_on = None

_LOG = "audit_events"
_FILTERS = {
    "ix_audit_events_tenant_entity_id": "entity_id",
    "ix_audit_events_tenant_entity_type": "entity_type",
    "ix_audit_events_tenant_actor": "actor_user_id",
    "ix_audit_events_tenant_action": "action",
}


def upgrade() -> None:
    for name, column in _FILTERS.items():
        op.create_index(name, _LOG, ["tenant_id", column, "id"])
    op.drop_index("ix_audit_events_tenant_entity", _LOG)


def downgrade() -> None:
    op.create_index("ix_audit_events_tenant_entity", _LOG, ["tenant_id", "entity_id", "created_at"])
    for name in reversed(_FILTERS):
        op.drop_index(name, _LOG)
