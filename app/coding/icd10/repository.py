"""Queries for ICD-10-CM: reference data, the same for every agency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.coding.icd10.models import Icd10Code
from app.coding.releases.models import CodeSystem
from app.coding.releases.repository import NEWEST
from app.core.db.sql import CompiledStatement
from app.core.db.uow import Transaction

BATCH = 500  # rows are decoded on the event loop
_codes: Any = Icd10Code.__table__
_parents = _codes.alias("parents")
_LIVE = _codes.c.deleted_at.is_(None)
_PERIODS = CompiledStatement(
    sa.select(*_codes.c)
    .where(_codes.c.compact == sa.any_(sa.bindparam("compact", type_=ARRAY(sa.Text()))), _LIVE)
    .order_by(_codes.c.compact, _codes.c.valid_from)
)
_CHILDREN = CompiledStatement(
    sa.select(*_codes.c)
    .where(_codes.c.parent == sa.bindparam("parent", type_=sa.Text), _LIVE)
    .order_by(_codes.c.code, _codes.c.valid_from)
)


def _ancestry() -> sa.Select[Any]:
    """The headings above a code. Any period's parents will do, because headings do not move between releases."""
    above = sa.select(sa.bindparam("parent", type_=sa.Text).label("code"), sa.literal(1).label("height")).cte(
        "above", recursive=True
    )
    higher = (
        sa.select(_codes.c.parent, above.c.height + 1)
        .join(above, _codes.c.code == above.c.code)
        .where(_LIVE, _codes.c.parent.is_not(None), above.c.height < 12)
    )
    above = above.union(higher)
    return (
        sa.select(*_codes.c)
        .join(above, _codes.c.code == above.c.code)
        .where(_LIVE)
        .order_by(above.c.height.desc(), _codes.c.valid_from)
    )


_ANCESTORS = CompiledStatement(_ancestry())
_RELEASE = NEWEST.subquery("release")
_EXTRACT = CompiledStatement(
    sa.select(_RELEASE.c.whole, _codes.c.compact, _codes.c.valid_from, _codes.c.valid_to, _codes.c.billable)
    .select_from(
        _RELEASE.outerjoin(
            _codes, sa.and_(_codes.c.compact == sa.any_(sa.bindparam("compact", type_=ARRAY(sa.Text()))), _LIVE)
        )
    )
    .order_by(_codes.c.compact, _codes.c.valid_from)
)
_BATCH = CompiledStatement(
    sa.select(
        _codes.c.id,
        _codes.c.code,
        _codes.c.description,
        _codes.c.kind,
        _codes.c.billable,
        _codes.c.inclusion_terms,
        sa.select(_parents.c.inclusion_terms)
        .where(
            sa.func.length(_codes.c.compact) == 7,
            _parents.c.compact == sa.func.replace(_codes.c.parent, ".", ""),
            _parents.c.deleted_at.is_(None),
        )
        .order_by(_parents.c.valid_from.desc())
        .limit(1)
        .scalar_subquery()
        .label("inherited_terms"),
        _codes.c.valid_from,
        _codes.c.valid_to,
    )
    .where(_codes.c.id > sa.bindparam("after", type_=sa.Uuid), _LIVE)
    .order_by(_codes.c.id)
    .limit(BATCH)
)


async def list_periods(transaction: Transaction, compact: Sequence[str]) -> list[Any]:
    """Every period of these codes (without dots), by code and time."""
    return await transaction.fetch(_PERIODS, {"compact": list(compact)})


async def list_children(transaction: Transaction, code: str) -> list[Any]:
    """The rows directly below a code, of any period, in order of codes."""
    return await transaction.fetch(_CHILDREN, {"parent": code})


async def list_ancestors(transaction: Transaction, parent: str) -> list[Any]:
    """`parent` and the headings above it, the chapter first."""
    return await transaction.fetch(_ANCESTORS, {"parent": parent})


async def list_extract(transaction: Transaction, compact: Sequence[str]) -> list[Any]:
    """The periods of these codes (without dots), each with `whole` of the loaded release.

    No rows before the first import. A loaded release gives at least one row; its `compact` is null if none of these
    codes exists.
    """
    return await transaction.fetch(_EXTRACT, {"code_system": CodeSystem.ICD10CM, "compact": list(compact)})


async def list_batch(transaction: Transaction, after: Any) -> list[Any]:
    """The columns that the index needs of the next rows, in order of id."""
    return await transaction.fetch(_BATCH, {"after": after})
