"""Looks up procedures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends

from app.coding.lookup.book import CodeBook, Consultation
from app.coding.procedures.index import CODE_SHAPE, PROCEDURE_BOOK
from app.coding.procedures.listed import LIST_DATE, Procedure, ProcedureCategory, shipped_procedures
from app.coding.procedures.schemas import ProcedureDetail, ProcedureFound, ProcedureResults
from app.coding.search.ranking import Query, search
from app.core.db.uow import ReadUnitOfWork
from app.core.dependencies import ReadUow, RuntimeDependency
from app.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class ProcedureSearch:
    """Codes that NEMSIS's list replaces by others are found only on request."""

    text: str
    limit: int
    category: ProcedureCategory | None = None
    include_replaced: bool = False


class ProcedureLookup:
    def __init__(self, uow: ReadUnitOfWork, book: CodeBook) -> None:
        self._uow = uow
        self._book = book

    async def consult(self) -> Consultation:
        """The data that answers a search now."""
        return await self._book.consult(self._uow)


def find_procedures(consulted: Consultation, asked: ProcedureSearch) -> ProcedureResults:
    """The procedures found, in memory: no statement is sent. A replaced code comes after its replacement."""
    codes = consulted.codes
    index = codes.index
    among = index.listed if asked.include_replaced else index.leading
    if asked.category is not None:
        among &= codes.lists[asked.category]
    found = search(
        index,
        Query(
            text=asked.text,
            vocabulary=consulted.vocabulary,
            code_shape=CODE_SHAPE,
            among=among,
            favoured=codes.favoured,
            limit=asked.limit,
            leaders=codes.leaders,
        ),
    )
    return ProcedureResults(
        release=LIST_DATE, items=[ProcedureFound(**_shown(index.details[number])) for number in found]
    )


def get_procedure(code: str) -> ProcedureDetail:
    """The procedure by SNOMED CT code. Raises NotFound."""
    procedures = shipped_procedures()
    if code not in procedures:
        raise NotFound
    return ProcedureDetail(
        **_shown(procedures[code]),
        synonyms=list(procedures[code].synonyms),
        replaces=[one.code for one in procedures.values() if one.replaced_by == code],
        release=LIST_DATE,
    )


def _shown(procedure: Procedure) -> dict[str, Any]:
    return {
        "code": procedure.code,
        "name": procedure.name,
        "category": procedure.category,
        "suggested": procedure.replaced_by is None,
        "replaced_by": procedure.replaced_by,
    }


async def procedure_lookup(runtime: RuntimeDependency, uow: ReadUow) -> ProcedureLookup:
    return ProcedureLookup(uow, runtime.gateways.get(PROCEDURE_BOOK))


ProcedureLookups = Annotated[ProcedureLookup, Depends(procedure_lookup)]
