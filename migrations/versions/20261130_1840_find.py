"""Names of patients as a search compares them, and the indexes by which calls are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from anyascii import anyascii

revision = "find"
down_revision = "late_entries"
branch_labels = None
depends_on = None

_NAMES = ("last_name", "first_name")
_BATCH = 5000
_UNKEYED = sa.text(
    "SELECT id, last_name, first_name FROM patients"
    " WHERE id > :after AND coalesce(last_name, first_name) IS NOT NULL ORDER BY id LIMIT :batch"
)
_KEYED = sa.text(
    "UPDATE patients SET last_name_key = given.last_name, first_name_key = given.first_name"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:last AS text[]), CAST(:first AS text[]))"
    " AS given(id, last_name, first_name) WHERE patients.id = given.id"
)


def upgrade() -> None:
    for name in _NAMES:
        op.add_column("patients", sa.Column(f"{name}_key", sa.Text(collation="C"), nullable=True))
    _fill()
    op.create_index(
        "ix_patients_tenant_name",
        "patients",
        ["tenant_id", "last_name_key", "first_name_key", "date_of_birth", "incident_id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("ix_crew_members_tenant_personnel_id", "crew_members", ["tenant_id", "personnel_id", "incident_id"])
    op.create_index(
        "ix_incidents_tenant_dispatch_time",
        "incidents",
        ["tenant_id", sa.text("(CASE WHEN (dispatch_time IS NULL) THEN created_at ELSE dispatch_time END)"), "id"],
    )


def downgrade() -> None:
    op.drop_index("ix_incidents_tenant_dispatch_time", "incidents")
    op.drop_index("ix_crew_members_tenant_personnel_id", "crew_members")
    op.drop_index("ix_patients_tenant_name", "patients")
    for name in reversed(_NAMES):
        op.drop_column("patients", f"{name}_key")


def _fill() -> None:
    """The keys of the patients that are there already, in batches."""
    connection = op.get_bind()
    after = "00000000-0000-0000-0000-000000000000"
    while rows := connection.execute(_UNKEYED, {"after": after, "batch": _BATCH}).all():
        after = rows[-1].id
        keys = {
            "ids": [row.id for row in rows],
            "last": [_key(row.last_name) for row in rows],
            "first": [_key(row.first_name) for row in rows],
        }
        connection.execute(_KEYED, keys)


def _key(name: str | None) -> str | None:
    """As `name_key` of app/core/text.py when this migration was written."""
    if name is None:
        return None
    return "".join(char for char in anyascii(name).lower() if char.isalnum())[:100] or None
