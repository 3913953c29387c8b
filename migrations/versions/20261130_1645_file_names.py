"""Photos in HEIC, contents that expand too far, and the type that a content is stored as."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "file_names"
down_revision = "job_privileges"
branch_labels = None
depends_on = None

_TABLES = ("attachments", "signatures")
_TYPES = ("image/jpeg", "image/png", "image/svg+xml", "application/pdf", "application/xml", "audio/wav", "audio/mpeg")
_WITH_HEIC = (*_TYPES[:2], "image/heic", *_TYPES[2:])
_REFUSALS = ("wrong_size", "wrong_hash", "wrong_type", "malformed")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("stored_type", sa.Text(), nullable=True))
        _check(table, "stored_type", _WITH_HEIC)
        _recheck(table, "file_type", _WITH_HEIC)
        _recheck(table, "rejection_code", (*_REFUSALS, "too_large"))


def downgrade() -> None:
    for table in _TABLES:
        _recheck(table, "rejection_code", _REFUSALS)
        _recheck(table, "file_type", _TYPES)
        op.drop_constraint(op.f(f"ck_{table}_stored_type"), table, type_="check")
        op.drop_column(table, "stored_type")


def _recheck(table: str, column: str, values: tuple[str, ...]) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{column}"), table, type_="check")
    _check(table, column, values)


def _check(table: str, column: str, values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, f"{column} IN ({listed})")
