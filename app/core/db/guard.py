"""The write guard. It refuses a write to an audited table that does not come from uow.change(), before it is sent."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from sqlalchemy.sql.expression import ClauseElement, TextClause

from app.core.db.entity import Base, SealedEntityError, TenantEntity
from app.core.db.sql import written_tables

_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
_WRITE = re.compile(
    r"\b(?:insert\s+into|update|delete\s+from|merge\s+into|copy)\s+(?:only\s+)?(?:\"?\w+\"?\s*\.\s*)?\"?(\w+)\"?",
    re.IGNORECASE,
)
_TRUNCATE = re.compile(r"\btruncate\s+([\w\s\".,]+)", re.IGNORECASE)  # the one write that names several tables


@cache
def audited_tables() -> frozenset[str]:
    """The tables of entities. Every row change there must have its audit event."""
    return frozenset(
        mapper.local_table.name  # type: ignore[attr-defined]  # entities map plain tables
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, TenantEntity)
    )


def refuse_unaudited(tables: frozenset[str]) -> None:
    """Raises SealedEntityError if one of `tables` is audited."""
    audited = tables & audited_tables()
    if audited:
        raise SealedEntityError(f"write to {', '.join(sorted(audited))} outside uow.change()")


def refuse_unaudited_clause(
    connection: Any, clause: Any, multiparams: Any, params: Any, execution_options: Any
) -> None:
    """The handler of SQLAlchemy's before_execute, for constructs run through a session or connection."""
    if isinstance(clause, ClauseElement) and not isinstance(clause, TextClause):
        refuse_unaudited(written_tables(clause))


def refuse_unaudited_text(
    connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
) -> None:
    """The handler of SQLAlchemy's before_cursor_execute, for textual SQL."""
    refuse_unaudited(_written_by(statement) | _written_by(_COMMENT.sub(" ", statement)))


def _written_by(text: str) -> frozenset[str]:
    """Names of the written tables. The set may also hold keywords and schemas, which does no harm."""
    truncated = (name for names in _TRUNCATE.findall(text) for name in re.findall(r"\w+", names))
    return frozenset(name.lower() for name in (*_WRITE.findall(text), *truncated))
