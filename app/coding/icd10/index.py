"""The index of ICD-10-CM, made of the stored codes."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from app.coding.icd10.mechanisms import collision
from app.coding.icd10.models import Icd10Kind
from app.coding.icd10.repository import list_batch
from app.coding.lookup.book import CodeSet, LoadedCodes, book_of
from app.coding.lookup.shipped import suggested_codes
from app.coding.releases.models import CodeSystem
from app.coding.search.index import Entry, IndexBuilder, TextIndex
from app.coding.search.ranking import Query
from app.coding.search.vocabulary import Vocabulary
from app.coding.vocabulary.schemas import CodeDomain
from app.core.db.uow import Transaction
from app.core.pools import CODES

ENCOUNTER_AT = 7  # the seventh character, counted without the dot: A is the first visit, the only one EMS makes
SUGGESTED = suggested_codes(frozenset({"icd10"}))
_WITHOUT_INJURY = frozenset(("M24", "M80", "M84"))
"""Fractures and dislocations by disease or overuse."""
_INTENTS = ("undetermined", "intentional self-harm", "assault", "dverse effect", "nderdosing")
"""Behind the accidental ones (ICD-10-CM Guidelines I.C.19.e.5)."""
CODE_SHAPE = re.compile(r"[A-Za-z][0-9A-Za-z]{0,2}(\.?[0-9A-Za-z]{0,4})?|[0-9A-Za-z]{3}-[0-9A-Za-z]{3}|\d\d?")
"""A code or its beginning (I, I2, I21, i21.3, S52501A), a block (I20-I25), a chapter (9)."""


def entry(row: Any) -> Entry:
    """A code of seven characters shares the inclusion terms of its parent."""
    code: str = row["code"]
    return Entry(
        code=code,
        name=row["description"],
        also=[*row["inclusion_terms"], *(row["inherited_terms"] or ())],
        standing=(is_later_encounter(code), _circumstance(code, row["description"])),
        leads=row["billable"],
        listed=row["kind"] == Icd10Kind.CODE,
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
    )


def _circumstance(code: str, description: str) -> int:
    """Which of several circumstances stands first: a poisoning that nobody calls intentional was an accident; what is
    broken or dislocated was injured.
    """
    if not "T36" <= code[:3] < "T66":
        return int(code[:3] in _WITHOUT_INJURY)
    return next((place for place, said in enumerate(_INTENTS, start=1) if said in description), 0)


def has_encounter(code: str) -> bool:
    return len(code) == ENCOUNTER_AT + 1


def is_later_encounter(code: str) -> bool:
    """Subsequent visits, sequelae, and the openings and deliveries that have letters of their own."""
    return has_encounter(code) and code[-1] != "A"


def marked(index: TextIndex) -> LoadedCodes:
    """With the sets of NEMSIS's lists. What they name is favoured, and its form with a seventh character; what merely
    stands below it is not: by measurement, that pushed plain injuries behind rare ones.
    """
    numbered = list(enumerate(index.codes))
    suggested = frozenset().union(*SUGGESTED.values())
    return LoadedCodes(
        index=index,
        lists={name: index.set_of(number for number, code in numbered if covers(name, code)) for name in SUGGESTED},
        favoured=(
            index.set_of(number for number, code in numbered if code in suggested or unextended(code) in suggested),
        ),
    )


def covers(name: str, code: str) -> bool:
    """Whether a NEMSIS list has the code, or a heading above it: many of what it lists are categories."""
    listed = SUGGESTED[name]
    return any(code[:length] in listed for length in range(3, len(code) + 1))


def unextended(code: str) -> str:
    """S09.90XA without what makes it seven characters: S09.90."""
    return code[:-1].rstrip("X").rstrip(".") if has_encounter(code) else code


def query(codes: LoadedCodes, vocabulary: Vocabulary, text: str, among: int, limit: int) -> Query:
    """How this code set is searched: words, and what they tell of an accident."""
    return Query(text, vocabulary, CODE_SHAPE, among, codes.favoured, limit, codes.leaders, collision)


async def load(transaction: Transaction) -> Callable[[], LoadedCodes]:
    """Every period of every code. Batch by batch; what is returned makes the index of them."""
    builder = IndexBuilder()
    after = uuid.UUID(int=0)
    while batch := await list_batch(transaction, after):
        await CODES.run(builder.add, [entry(row) for row in batch])
        after = batch[-1]["id"]
    return lambda: marked(builder.finish())


ICD10 = CodeSet(CodeSystem.ICD10CM, CodeDomain.ICD10, load)
ICD10_BOOK = book_of(ICD10)
