"""Columns are declared through helpers that classify them. Audit diffs, logs and events use these classes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column

Digest = Callable[[str, Any], str | None]
Diff = Callable[[Any, Any, Digest], dict[str, list[Any]]]
Derived = tuple[str, Callable[[Any], Any]]


class Sensitivity(StrEnum):
    PLAIN = "plain"
    INTERNAL = "internal"
    PHI = "phi"
    SECRET = "secret"


MISSING: Any = object()
Timestamp = sa.TIMESTAMP(timezone=True)
MoneyColumn = sa.Numeric(12, 2)


def _column(
    kind: Sensitivity,
    args: tuple[Any, ...],
    default: Any,
    factory: Callable[[], Any] | None,
    diff: Diff | None,
    heavy: bool,
    options: dict[str, Any],
    derived: Derived | None = None,
) -> Any:
    info: dict[str, Any] = {"sensitivity": kind, "heavy": heavy}
    if derived is not None:
        info |= {"derived": derived, "default": None}
    if default is not MISSING:
        info["default"] = default
    if factory is not None:
        info["factory"] = factory
    if diff is not None:
        info["diff"] = diff
    return mapped_column(*args, info=info, **options)


def plain(
    *args: Any,
    default: Any = MISSING,
    default_factory: Callable[[], Any] | None = None,
    init: bool = True,
    diff: Diff | None = None,
    heavy: bool = False,
    **options: Any,
) -> Any:
    """A value that may appear in audit diffs. `heavy`: large, written only when it changed."""
    return _column(Sensitivity.PLAIN, args, default, default_factory, diff, heavy, options)


def phi(
    *args: Any,
    default: Any = MISSING,
    default_factory: Callable[[], Any] | None = None,
    init: bool = True,
    diff: Diff | None = None,
    heavy: bool = False,
    derived: Derived | None = None,
    **options: Any,
) -> Any:
    """Protected health information. Audit diffs show keyed digests. Logs and events show only that it changed.

    `diff` refines this for a JSON column. It maps (old, new, digest) to {field: [old, new]}, with digests of PHI.
    `derived` names another column and how this one follows from it. Every write sets it, nobody else does, and logs
    show only the other one.
    """
    return _column(Sensitivity.PHI, args, default, default_factory, diff, heavy, options, derived)


def secret(*args: Any, default: Any = MISSING, init: bool = True, **options: Any) -> Any:
    """Credentials: audit diffs show keyed digests."""
    return _column(Sensitivity.SECRET, args, default, None, None, False, options)


def internal(
    *args: Any,
    default: Any = MISSING,
    default_factory: Callable[[], Any] | None = None,
    init: bool = True,
    **options: Any,
) -> Any:
    """Keys and bookkeeping. They never change after creation, or only with the row's version. Audit diffs omit them."""
    return _column(Sensitivity.INTERNAL, args, default, default_factory, None, False, options)


class EnumText(sa.types.TypeDecorator[StrEnum]):
    """Text with a CHECK in the database, a StrEnum in Python (native enums are not leakproof under RLS)."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self.enum = enum

    def result_processor(self, dialect: Any, coltype: Any) -> Callable[[Any], Any]:
        members = cast("dict[str, StrEnum]", self.enum._value2member_map_)
        return lambda value: None if value is None else members[value]

    def bind_processor(self, dialect: Any) -> None:
        return None


def values_check(column: str, enum: type[StrEnum]) -> sa.CheckConstraint:
    """CHECK that a text column holds one of the enum's values; named ck_<table>_<column>."""
    values = ", ".join(f"'{member.value}'" for member in enum)
    return sa.CheckConstraint(f"{column} IN ({values})", name=column)


def decimal_check(column: str, lowest: str, highest: str, places: int) -> sa.CheckConstraint:
    """Bounds of a NUMERIC column without a scale, which keeps each number as it was charted; NaN lies in none."""
    return sa.CheckConstraint(f"{column} BETWEEN {lowest} AND {highest} AND scale({column}) <= {places}", name=column)


TYPE_MAP: dict[Any, Any] = {
    dt.datetime: Timestamp,
    str: sa.Text(),
    Decimal: sa.Numeric(),
    dict[str, Any]: JSONB(none_as_null=True),
    list[Any]: JSONB(none_as_null=True),
}
