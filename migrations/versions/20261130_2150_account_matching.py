"""Names of billing accounts as a match compares them; charted coverages whose subscriber the crew did not name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from anyascii import anyascii

revision = "account_matching"
down_revision = "billing_parties"
branch_labels = None
depends_on = None

_LIVE = sa.text("deleted_at IS NULL")
_CHECK = "relationship = '18' OR subscriber_last_name IS NOT NULL"
_UNKEYED = sa.text("SELECT id, last_name, first_name FROM billing_accounts WHERE last_name_key IS NULL")
_KEYED = sa.text("UPDATE billing_accounts SET last_name_key = :last, first_name_key = :first WHERE id = :id")


def upgrade() -> None:
    for name in ("last_name_key", "first_name_key"):
        op.add_column("billing_accounts", sa.Column(name, sa.Text(collation="C"), nullable=True))
    connection = op.get_bind()
    for row in connection.execute(_UNKEYED).all():
        keys = {"id": row.id, "last": _key(row.last_name), "first": _key(row.first_name)}
        connection.execute(_KEYED, keys)
    op.create_index(
        "ix_billing_accounts_tenant_name",
        "billing_accounts",
        ["tenant_id", "last_name_key", "first_name_key", "date_of_birth"],
        postgresql_where=_LIVE,
    )
    op.create_index(
        "ix_billing_accounts_tenant_date_of_birth",
        "billing_accounts",
        ["tenant_id", "date_of_birth", "first_name_key"],
        postgresql_where=_LIVE,
    )
    op.create_index(
        "ix_coverages_tenant_member_id",
        "coverages",
        ["tenant_id", "member_id"],
        postgresql_where=sa.text("deleted_at IS NULL AND member_id IS NOT NULL"),
    )
    op.drop_constraint(op.f("ck_coverages_subscriber"), "coverages", type_="check")
    op.create_check_constraint(op.f("ck_coverages_subscriber"), "coverages", f"{_CHECK} OR origin = 'charted'")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_coverages_subscriber"), "coverages", type_="check")
    op.create_check_constraint(op.f("ck_coverages_subscriber"), "coverages", _CHECK)
    op.drop_index("ix_coverages_tenant_member_id", "coverages")
    op.drop_index("ix_billing_accounts_tenant_date_of_birth", "billing_accounts")
    op.drop_index("ix_billing_accounts_tenant_name", "billing_accounts")
    for name in ("first_name_key", "last_name_key"):
        op.drop_column("billing_accounts", name)


def _key(name: str | None) -> str | None:
    """As `name_key` of app/core/text.py when this migration was written."""
    if name is None:
        return None
    return "".join(char for char in anyascii(name).lower() if char.isalnum())[:100] or None
