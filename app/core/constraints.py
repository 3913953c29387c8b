"""Translates a violated constraint for a client. The client sees the field, never the constraint's name."""

from __future__ import annotations

from functools import cache

import asyncpg
import sqlalchemy as sa

from app.core.db.entity import Base
from app.core.errors import AlreadyExists, AppError, IdTaken, ValidationFailed
from app.core.logging import get_logger

_SCOPE = frozenset({"tenant_id", "deleted_at"})
"""Columns that keys begin with, or are limited by, and that no client names."""

_OF_AN_ID = frozenset({("id",), ("entity_id", "version")})
"""Keys that a new row violates if its id is in use: its own, and that of a chart's versions, which all kinds share."""

_log = get_logger(__name__)


def violated(error: asyncpg.IntegrityConstraintViolationError) -> AppError:
    """The error: IdTaken for an id that is in use, AlreadyExists for another unique key, else ValidationFailed."""
    constraint = error.constraint_name or ""
    _log.info("constraint violated", constraint=constraint, sqlstate=error.sqlstate)
    columns = _columns().get(constraint, ())
    if isinstance(error, asyncpg.UniqueViolationError):
        if columns in _OF_AN_ID:
            return IdTaken()
        return AlreadyExists(field=columns[-1]) if columns else AlreadyExists()
    if isinstance(error, asyncpg.NotNullViolationError):
        return ValidationFailed.of(error.column_name or "", "missing", "A value is needed here.")
    field = columns[-1] if columns else ""
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        return ValidationFailed.of(field, "unknown_reference", "This refers to nothing here.")
    return ValidationFailed.of(field, "not_storable", "This value is not allowed.")


@cache
def _columns() -> dict[str, tuple[str, ...]]:
    """Maps the name of a constraint or unique index to its columns, from the general to the specific."""
    found: dict[str, tuple[str, ...]] = {}
    for table in {mapper.local_table for mapper in Base.registry.mappers}:
        assert isinstance(table, sa.Table)  # noqa: S101  # entities are mapped on tables
        items: list[sa.schema.ColumnCollectionConstraint | sa.Index] = [*table.indexes]
        items += [item for item in table.constraints if isinstance(item, sa.schema.ColumnCollectionConstraint)]
        for item in items:
            columns = tuple(column.name for column in item.columns if column.name not in _SCOPE)
            if isinstance(item, sa.CheckConstraint) and not columns:
                columns = _named_in(item, table)
            if isinstance(item.name, str):
                found[item.name] = columns
    return found


def _named_in(check: sa.CheckConstraint, table: sa.Table) -> tuple[str, ...]:
    """The first column that a CHECK names, read from its text. SQLAlchemy does not know the columns of such a CHECK."""
    words = str(check.sqltext).replace("(", " ").replace(")", " ").split()
    return tuple(word for word in words if word in table.columns and word not in _SCOPE)[:1]
