"""A snapshot of chart_revisions is a row as jsonb. Here it becomes the entity again, or values as answers show them.

The table may have gained and lost columns since the snapshot was taken.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from typing import Any

import sqlalchemy as sa

from app.core.db.entity import E
from app.core.db.plan import EntityPlan, plan_of
from app.ems.chart.columns import ChartEntry
from app.ems.parts import PART_OF

Decode = Callable[[Any], Any]


def entity_of(entity: type[E], snapshot: dict[str, Any]) -> E:
    """The entity of a snapshot. A column that was added later has its default; one that is gone is left out."""
    plan: EntityPlan[E] = plan_of(entity)
    return plan.build(
        [
            decode(snapshot[column.key]) if column.key in snapshot else _default(column)
            for column, decode in _columns(entity)
        ]
    )


def shown_values(entry: ChartEntry, names: Iterable[str]) -> dict[str, Any]:
    """Columns of an entry as {column: value}, in JSON as answers show it: decimals and times as text."""
    values = {name: getattr(entry, name) for name in names}
    read = PART_OF[entry.entity_type].read
    shown: dict[str, Any] = read.model_construct(**values).model_dump(mode="json", include=set(values))
    return shown


@cache
def _columns(entity: type[Any]) -> tuple[tuple[Any, Decode], ...]:
    return tuple((column, _decoder(column.type)) for column in plan_of(entity).table.c)


def _decoder(kind: Any) -> Decode:
    """The function from JSON to the value that the driver gives for a column of this type."""
    if isinstance(kind, sa.Uuid):
        return _unless_null(uuid.UUID)
    if isinstance(kind, sa.ARRAY):
        decode = _decoder(kind.item_type)
        return _unless_null(lambda values: [decode(value) for value in values])
    if isinstance(kind, sa.DateTime):
        return _unless_null(lambda value: dt.datetime.fromisoformat(value).astimezone(dt.UTC))
    if isinstance(kind, sa.Date):
        return _unless_null(dt.date.fromisoformat)
    if isinstance(kind, sa.Numeric):
        if kind.scale is None:
            return _unless_null(lambda value: Decimal(str(value)))
        unit = Decimal(1).scaleb(-kind.scale)
        return _unless_null(lambda value: Decimal(str(value)).quantize(unit))
    return lambda value: value


def _unless_null(decode: Decode) -> Decode:
    return lambda value: None if value is None else decode(value)


def _default(column: Any) -> Any:
    factory = column.info.get("factory")
    return column.info.get("default") if factory is None else factory()
