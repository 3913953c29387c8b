"""SQLAlchemy statements compiled once and run on asyncpg with positional arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.expression import ClauseElement


def dump_json(value: Any) -> str:
    """The JSON text. Dates, decimals, UUIDs and enums become strings."""
    return orjson.dumps(value, default=str).decode()


# SQLAlchemy leaves the constructors of its dialects untyped.
DIALECT: Any = asyncpg_dialect(json_serializer=dump_json, json_deserializer=orjson.loads)  # type: ignore[no-untyped-call]


class CompiledStatement:
    """SQL text, the order and encoders of its arguments, and the tables that it writes."""

    __slots__ = ("encoders", "literals", "names", "sql", "writes")

    def __init__(self, statement: ClauseElement) -> None:
        compiled: Any = statement.compile(dialect=DIALECT)
        self.sql: str = compiled.string
        self.names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self.literals: dict[str, Any] = {name: value for name, value in compiled.params.items() if value is not None}
        self.encoders: tuple[tuple[int, Callable[[Any], Any]], ...] = tuple(
            (index, encode)
            for index, name in enumerate(self.names)
            if (encode := compiled.binds[name].type.dialect_impl(DIALECT).bind_processor(DIALECT)) is not None
        )
        self.writes: frozenset[str] = written_tables(statement)

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Positional arguments. A name that is missing in `values` has a literal in the statement."""
        given = {**self.literals, **values} if self.literals else values
        arguments = [given[name] for name in self.names]
        for index, encode in self.encoders:
            arguments[index] = encode(arguments[index])
        return arguments


def written_tables(statement: ClauseElement) -> frozenset[str]:
    """Names of the tables that a statement inserts into, updates or deletes from, in CTEs too."""
    targets = (element.table for element in visitors.iterate(statement) if isinstance(element, UpdateBase))
    return frozenset(str(getattr(target, "name", target)) for target in targets)


_NUMERIC_OID = 1700  # the asyncpg dialect needs it, although asyncpg returns Decimal already


def decoders(columns: Sequence[Any]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """(key, decode) for the columns whose SQLAlchemy type converts what asyncpg returns."""
    found = []
    for column in columns:
        decode = column.type.dialect_impl(DIALECT).result_processor(DIALECT, _NUMERIC_OID)
        if decode is not None:
            found.append((column.key, decode))
    return tuple(found)
