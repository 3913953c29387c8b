"""Queries for RxNorm: reference data, the same for every agency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.coding.releases.models import CodeSystem
from app.coding.releases.repository import NEWEST
from app.coding.rxnorm.models import RxNormConcept, RxNormRelation, Terminology
from app.core.db.sql import CompiledStatement
from app.core.db.uow import Transaction

BATCH = 500  # rows are decoded on the event loop
MOST_RELATED = 200
_concepts: Any = RxNormConcept.__table__
_relations: Any = RxNormRelation.__table__
_LIVE = _concepts.c.deleted_at.is_(None)
_CODE = sa.bindparam("code", type_=sa.Text)
_BY_CODE = CompiledStatement(
    sa.select(*_concepts.c).where(_concepts.c.code == _CODE, _LIVE).order_by(_concepts.c.terminology).limit(1)
)
_RELATED = CompiledStatement(
    sa.select(_relations.c.relation, _concepts.c.code, _concepts.c.name, _concepts.c.term_type)
    .join(_concepts, _concepts.c.code == _relations.c.other)
    .where(
        _relations.c.rxcui == _CODE,
        _concepts.c.terminology == Terminology.RXNORM.value,
        _relations.c.deleted_at.is_(None),
        _LIVE,
    )
    .order_by(_relations.c.relation, _concepts.c.name)
    .limit(MOST_RELATED)
)
_RELEASE = NEWEST.subquery("release")
_EXTRACT = CompiledStatement(
    sa.select(_RELEASE.c.whole, _concepts.c.code, _concepts.c.suppressed, _concepts.c.retired_on).select_from(
        _RELEASE.outerjoin(
            _concepts,
            sa.and_(
                _concepts.c.code == sa.any_(sa.bindparam("rxcuis", type_=ARRAY(sa.Text()))),
                _concepts.c.terminology == Terminology.RXNORM.value,
                _LIVE,
            ),
        )
    )
)
_NAMES = CompiledStatement(
    sa.select(_concepts.c.code, _concepts.c.name).where(
        _concepts.c.code == sa.any_(sa.bindparam("codes", type_=ARRAY(sa.Text()))), _LIVE
    )
)
_INGREDIENTS = CompiledStatement(
    sa.select(_concepts.c.code, _concepts.c.name, _concepts.c.ingredients).where(
        _concepts.c.code == sa.any_(sa.bindparam("codes", type_=ARRAY(sa.Text()))),
        _concepts.c.terminology == Terminology.RXNORM.value,
        _LIVE,
    )
)
_BATCH = CompiledStatement(
    sa.select(*_concepts.c)
    .where(_concepts.c.id > sa.bindparam("after", type_=sa.Uuid), _LIVE)
    .order_by(_concepts.c.id)
    .limit(BATCH)
)


async def list_names(transaction: Transaction, codes: Sequence[str]) -> list[Any]:
    """The names of these rxcuis and SNOMED CT codes."""
    return await transaction.fetch(_NAMES, {"codes": list(codes)})


async def list_ingredients(transaction: Transaction, rxcuis: Sequence[str]) -> list[Any]:
    """(code, name, ingredients) of these concepts. An ingredient has none of its own."""
    return await transaction.fetch(_INGREDIENTS, {"codes": list(rxcuis)})


async def find_concept(transaction: Transaction, code: str) -> Any:
    """The concept by rxcui or SNOMED CT code. None for an unknown code."""
    return await transaction.fetch_row(_BY_CODE, {"code": code})


async def list_related(transaction: Transaction, rxcui: str) -> list[Any]:
    """(relation, code, name, term_type) of the concepts that this one refers to, at most MOST_RELATED."""
    return await transaction.fetch(_RELATED, {"code": rxcui})


async def list_extract(transaction: Transaction, rxcuis: Sequence[str]) -> list[Any]:
    """These concepts, each with `whole` of the loaded release. No rows before the first import.

    A loaded release gives at least one row; its `code` is null if none of these concepts exists.
    """
    return await transaction.fetch(_EXTRACT, {"code_system": CodeSystem.RXNORM, "rxcuis": list(rxcuis)})


async def list_batch(transaction: Transaction, after: Any) -> list[Any]:
    """The next concepts, in order of id."""
    return await transaction.fetch(_BATCH, {"after": after})
