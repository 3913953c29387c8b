"""The whole of ICD-10-CM in memory, searched as the service does."""

from __future__ import annotations

import datetime as dt

from app.coding.icd10.index import entry, query
from app.coding.icd10.models import IN_FORCE_SINCE
from app.coding.lookup.book import LoadedCodes
from app.coding.lookup.shipped import shipped_terms
from app.coding.search.index import IndexBuilder, TextIndex
from app.coding.search.ranking import search
from app.coding.vocabulary.schemas import CodeDomain
from scripts.codesets.icd10_sources import Icd10Row, read_shipped
from scripts.codesets.reading import Refusals, Source

TODAY = dt.date(2026, 5, 1)


def shipped_rows() -> list[Icd10Row]:
    return list(read_shipped(Source("the package"), Refusals()))


def index_of(rows: list[Icd10Row]) -> TextIndex:
    """As `load` makes it of the stored rows."""
    terms = {row.code: row.inclusion_terms for row in rows}
    builder = IndexBuilder()
    builder.add(
        entry(
            {
                "code": row.code,
                "description": row.description,
                "kind": row.kind,
                "billable": row.billable,
                "inclusion_terms": row.inclusion_terms,
                "inherited_terms": terms[row.parent] if len(row.code) == 8 and row.parent else None,
                "valid_from": IN_FORCE_SINCE,
                "valid_to": None,
            }
        )
        for row in rows
    )
    return builder.finish()


def find(codes: LoadedCodes, text: str, limit: int = 20) -> list[str]:
    """Codes for what was typed."""
    vocabulary = shipped_terms(CodeDomain.ICD10)
    index = codes.index
    found = search(index, query(codes, vocabulary, text, index.valid_on(TODAY), limit))
    return [index.codes[number] for number in found]
