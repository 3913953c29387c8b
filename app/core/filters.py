"""Filters of lists. A filter that is given several times means "one of"; `…_from` and `…_to` bound a range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar

import sqlalchemy as sa
from fastapi import Query
from pydantic import Field
from sqlalchemy.dialects.postgresql import ARRAY

from app.core.schemas import Instant

T = TypeVar("T")
MOST_VALUES = 50

Values = Annotated[list[T], Field(min_length=1, max_length=MOST_VALUES)] | None
"""The values of a filter in a model: a row matches that has one of them. None: the filter does not apply."""
OneOf = Annotated[Values[T], Query()]
"""The same as a parameter of the query, which a client repeats: `status=draft&status=in_progress`."""
FilterText = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
"""One value of a filter on text, which it must equal."""
From = Annotated[Instant | None, Query(description="At this time or later")]
To = Annotated[Instant | None, Query(description="Before this time")]


def values_of(kind: Any) -> Any:
    """`Values[kind]` for a type that is known at run time only."""
    alias: Any = Values
    return alias[kind]


def one_of(kind: Any) -> Any:
    """`OneOf[kind]` for a type that is known at run time only."""
    alias: Any = OneOf
    return alias[kind]


Shape = tuple[tuple[str, bool], ...]
"""The filters of a statement: the name of each, and whether it has several values."""


def chosen(filters: Mapping[str, Any]) -> dict[str, Any]:
    """The filters that apply. A list of one value becomes that value, whose statement an index serves in order."""
    found = {}
    for name, value in filters.items():
        distinct = list(dict.fromkeys(value)) if isinstance(value, list) else value
        if isinstance(distinct, list) and len(distinct) == 1:
            [distinct] = distinct
        if distinct is not None:
            found[name] = distinct
    return found


def shape_of(values: Mapping[str, Any]) -> Shape:
    """The shape of the filters. Filters of one shape share one statement."""
    return tuple(sorted((name, isinstance(value, list)) for name, value in values.items()))


def condition(
    table: Any, name: str, *, several: bool, filters: Iterable[str], ranges: Iterable[str]
) -> sa.ColumnElement[bool] | None:
    """The condition of one filter on `table`. Its values are bound by the filter's name. None: there is none of that
    name.

    `filters` are columns that are compared for equality, `ranges` columns with bounds.
    """
    if name in filters:
        return equal(table.c[name], name, several=several)
    ranged = column_of_bound(name)
    if ranged is None or ranged not in ranges:
        return None
    return bound(table.c[ranged], name)


def equal(column: sa.ColumnElement[Any], name: str, *, several: bool) -> sa.ColumnElement[bool]:
    """`column` has the value, or one of the values, that the filter's name binds."""
    if several:
        return column == sa.any_(sa.bindparam(name, type_=ARRAY(column.type)))
    return column == sa.bindparam(name, type_=column.type)


def column_of_bound(name: str) -> str | None:
    """The column that the filter bounds; None for a filter of another kind."""
    column, _, end = name.rpartition("_")
    return column if end in ("from", "to") else None


def bound(key: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """`key` at or after the bound `…_from`, or before the bound `…_to`."""
    value = sa.bindparam(name, type_=key.type)
    return key >= value if name.endswith("_from") else key < value
