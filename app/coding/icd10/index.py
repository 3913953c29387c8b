"""The index of ICD-10-CM, made of the stored codes."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from app.coding.icd10.circumstances import circumstances, described
from app.coding.icd10.models import Icd10Kind
from app.coding.icd10.repository import list_batch
from app.coding.lookup.book import CodeSet, LoadedCodes, book_of
from app.coding.lookup.shipped import shipped_terms, suggested_codes
from app.coding.releases.models import CodeSystem
from app.coding.search.index import Entry, IndexBuilder, TextIndex
from app.coding.search.ranking import Query
from app.coding.search.vocabulary import Vocabulary
from app.coding.vocabulary.schemas import CodeDomain
from app.core.db.uow import Transaction
from app.core.pools import CODES

ENCOUNTER_AT = 7  # the seventh character, not counting the dot: A is the first visit, the only kind in EMS
SUGGESTED = suggested_codes(frozenset({"icd10"}))
_WITHOUT_INJURY = ("M24", "M61", "M80", "M84")
"""Fractures and dislocations by disease or overuse, and what burns leave behind."""
_LATER = (*_WITHOUT_INJURY, "E08", "E09", "E10", "E13", "I69", "O", "P")
"""Codes that come after others unless the query says otherwise: those of other diabetes than type 2 (ICD-10-CM
Guidelines I.C.4.a.2), of what a stroke leaves behind, of pregnancy, of newborns.
"""
_INTENTS = ("undetermined", "intentional self-harm", "assault", "dverse effect", "nderdosing")
"""Intents that come after the accidental one (ICD-10-CM Guidelines I.C.19.e.5)."""
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
    """The rank of a circumstance. A poisoning counts as an accident unless the query says otherwise; a fracture or a
    dislocation counts as an injury, and diabetes as that of type 2.
    """
    if not "T36" <= code[:3] < "T66":
        return int(code.startswith(_LATER))
    return next((place for place, said in enumerate(_INTENTS, start=1) if said in description), 0)


def has_encounter(code: str) -> bool:
    return len(code) == ENCOUNTER_AT + 1


def is_later_encounter(code: str) -> bool:
    """True if a code is for a later visit, a sequela, or an opening or a delivery with a letter of its own."""
    return has_encounter(code) and code[-1] != "A"


def marked(index: TextIndex) -> LoadedCodes:
    """The index with the sets of NEMSIS's lists. Listed codes and their forms with a seventh character are favoured.

    Other codes below listed ones are not: a measurement showed that rare injuries then came before plain ones.
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
    """True if a NEMSIS list has the code or a heading above it. Many listed codes are categories."""
    listed = SUGGESTED[name]
    return any(code[:length] in listed for length in range(3, len(code) + 1))


def unextended(code: str) -> str:
    """The code without its seventh character and placeholders: S09.90 for S09.90XA."""
    return code[:-1].rstrip("X").rstrip(".") if has_encounter(code) else code


def query(codes: LoadedCodes, vocabulary: Vocabulary, text: str, among: int, limit: int) -> Query:
    """The query for this code set: words, and what they describe by a scheme of its codes."""
    return Query(text, vocabulary, CODE_SHAPE, among, codes.favoured, limit, codes.leaders, described)


async def load(transaction: Transaction) -> Callable[[], LoadedCodes]:
    """Read every period of every code, batch by batch. The returned function makes the index."""
    builder = IndexBuilder()
    after = uuid.UUID(int=0)
    while batch := await list_batch(transaction, after):
        await CODES.run(builder.add, [entry(row) for row in batch])
        after = batch[-1]["id"]
    return lambda: _ready(builder)


def _ready(builder: IndexBuilder) -> LoadedCodes:
    """The index. What else a first query needs is read now, because no request runs in this thread."""
    shipped_terms(CodeDomain.ICD10)
    circumstances()
    return marked(builder.finish())


ICD10 = CodeSet(CodeSystem.ICD10CM, CodeDomain.ICD10, load)
ICD10_BOOK = book_of(ICD10)
