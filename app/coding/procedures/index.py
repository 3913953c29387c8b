"""The index of procedures, made of the list that ships with the service."""

from __future__ import annotations

import re
from collections.abc import Callable

from app.coding.lookup.book import CodeSet, LoadedCodes, book_of
from app.coding.procedures.listed import LIST_DATE, Procedure, ProcedureCategory, shipped_procedures
from app.coding.search.index import Entry, IndexBuilder, TextIndex
from app.coding.vocabulary.schemas import CodeDomain
from app.core.db.uow import Transaction

CODE_SHAPE = re.compile(r"\d{5,18}")


def entry(procedure: Procedure) -> Entry:
    """The entry. Crews' words and the names of replaced codes find it; replaced codes themselves come last."""
    replaced = [one.name for one in shipped_procedures().values() if one.replaced_by == procedure.code]
    return Entry(
        code=procedure.code,
        name=procedure.name,
        also=[*procedure.synonyms, *replaced],
        standing=(),
        leads=procedure.replaced_by is None,
        details=procedure,
    )


def build() -> LoadedCodes:
    """Build the index, in a few milliseconds."""
    builder = IndexBuilder()
    builder.add(map(entry, shipped_procedures().values()))
    index = builder.finish()
    codes_of = {
        category.value: index.set_of(number for number, held in index.details.items() if held.category is category)
        for category in ProcedureCategory
    }
    return LoadedCodes(index=index, lists=codes_of, favoured=(), leaders=_listed_codes(index), release=LIST_DATE)


def _listed_codes(index: TextIndex) -> dict[int, int]:
    """A map from the numbers of replaced codes to those of the listed codes."""
    numbers = {code: number for number, code in enumerate(index.codes)}
    return {number: numbers[held.replaced_by] for number, held in index.details.items() if held.replaced_by is not None}


async def load(_: Transaction) -> Callable[[], LoadedCodes]:
    return build


PROCEDURES = CodeSet(None, CodeDomain.PROCEDURES, load)
PROCEDURE_BOOK = book_of(PROCEDURES)
