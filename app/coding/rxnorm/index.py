"""The index of RxNorm, made of the stored concepts. Ingredients and brands have each other as further names."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from app.coding.lookup.book import CodeSet, LoadedCodes, book_of
from app.coding.lookup.shipped import suggested_codes
from app.coding.releases.models import CodeSystem
from app.coding.rxnorm.models import Terminology
from app.coding.rxnorm.repository import list_batch
from app.coding.search.index import Entry, IndexBuilder, TextIndex
from app.coding.search.words import words
from app.coding.vocabulary.schemas import CodeDomain
from app.core.db.uow import Transaction
from app.core.pools import CODES

SUGGESTED = suggested_codes(frozenset({"rxnorm", "snomed"})).get("medication", frozenset())
CODE_SHAPE = re.compile(r"\d{2,18}")
_BY_TERM_TYPE = {"IN": 0, "MIN": 1, "PIN": 1, "BN": 2, "SCDC": 3, "SCD": 4, "SBD": 5}
_OTHER_TERM_TYPES = 6


@dataclass(frozen=True, slots=True)
class Medication:
    """The fields of an answer beside code and name."""

    terminology: Terminology
    term_type: str | None
    strength: str | None
    ingredients: list[str]
    brands: list[str]


def entry(row: Any) -> Entry:
    """The entry. Ingredients precede brands, brands precede clinical drugs: a crew charts the drug, not the package."""
    retired: dt.date | None = row["retired_on"]
    return Entry(
        code=row["code"],
        name=row["name"],
        also=[*row["synonyms"], *row["ingredients"], *row["brands"]],
        standing=(_BY_TERM_TYPE.get(row["term_type"] or "", _OTHER_TERM_TYPES),),
        leads=not row["suppressed"] and retired is None,
        details=Medication(
            Terminology(row["terminology"]), row["term_type"], row["strength"], row["ingredients"], row["brands"]
        ),
    )


async def load(transaction: Transaction) -> Callable[[], LoadedCodes]:
    """Read every concept, batch by batch. The returned function makes the index."""
    builder = IndexBuilder()
    after = uuid.UUID(int=0)
    while batch := await list_batch(transaction, after):
        await CODES.run(builder.add, [entry(row) for row in batch])
        after = batch[-1]["id"]
    return lambda: marked(builder.finish())


def marked(index: TextIndex) -> LoadedCodes:
    """The index with the set of NEMSIS's medication list, and with the drug of each brand as its leader."""
    suggested = index.set_of(number for number, code in enumerate(index.codes) if code in SUGGESTED)
    return LoadedCodes(
        index=index, lists={"medication": suggested}, favoured=(suggested,), leaders=dict(_drugs_of_brands(index))
    )


def _drugs_of_brands(index: TextIndex) -> Iterator[tuple[int, int]]:
    """(brand, its ingredient or combination of ingredients). A crew that says narcan charts naloxone."""
    for number, about in index.details.items():
        if about.term_type == "BN" and about.ingredients:
            for drug in index.called(words(" / ".join(about.ingredients))):
                if index.details[drug].term_type in ("IN", "MIN"):
                    yield number, drug
                    break


RXNORM = CodeSet(CodeSystem.RXNORM, CodeDomain.RXNORM, load)
RXNORM_BOOK = book_of(RXNORM)
