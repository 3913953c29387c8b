"""The index of ICD-10-CM, made of the stored codes."""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Any

from app.coding.icd10.models import Icd10Kind
from app.coding.icd10.repository import list_batch
from app.coding.lookup.book import CodeSet, LoadedCodes
from app.coding.lookup.shipped import suggested_codes
from app.coding.releases.models import CodeSystem
from app.coding.search.index import Entry, IndexBuilder, TextIndex
from app.coding.vocabulary.schemas import CodeDomain
from app.core.db.uow import Transaction

ENCOUNTER_AT = 7  # the seventh character, counted without the dot: A is the first visit, the only one EMS makes
SUGGESTED = suggested_codes(frozenset({"icd10"}))
CODE_SHAPE = re.compile(r"[A-Za-z][0-9A-Za-z]{0,2}(\.?[0-9A-Za-z]{0,4})?|[0-9A-Za-z]{3}-[0-9A-Za-z]{3}|\d\d?")
"""A code or its beginning (I, I2, I21, i21.3, S52501A), a block (I20-I25), a chapter (9)."""


def entry(row: Any, inherited: list[str]) -> Entry:
    """`inherited`: the parent's inclusion terms, which a code of seven characters shares."""
    code: str = row["code"]
    return Entry(
        code=code,
        name=row["description"],
        also=[*row["inclusion_terms"], *inherited],
        standing=(is_later_encounter(code),),
        leads=row["billable"],
        listed=row["kind"] == Icd10Kind.CODE,
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
    )


def has_encounter(code: str) -> bool:
    return len(code) == ENCOUNTER_AT + 1


def is_later_encounter(code: str) -> bool:
    """Subsequent visits, sequelae, and the openings and deliveries that have letters of their own."""
    return has_encounter(code) and code[-1] != "A"


def marked(index: TextIndex) -> LoadedCodes:
    """With the sets of NEMSIS's lists. What stands below a suggested heading, or in its category, is favoured too."""
    suggested = frozenset().union(*SUGGESTED.values())
    categories = {code[:3] for code in suggested}
    numbered = list(enumerate(index.codes))
    below = (
        number for number, code in numbered if any(code[:length] in suggested for length in range(3, len(code) + 1))
    )
    return LoadedCodes(
        index=index,
        lists={
            name: index.set_of(number for number, code in numbered if code in codes)
            for name, codes in SUGGESTED.items()
        },
        favoured=(
            index.set_of(below),
            index.set_of(number for number, code in numbered if code[:3] in categories),
        ),
    )


async def load(transaction: Transaction) -> LoadedCodes:
    """Every period of every code. The parts that take long run in a thread."""
    rows: list[Any] = []
    after = uuid.UUID(int=0)
    while batch := await list_batch(transaction, after):
        rows += batch
        after = batch[-1]["id"]
    return await asyncio.to_thread(build, rows)


def build(rows: list[Any]) -> LoadedCodes:
    terms = {row["code"]: row["inclusion_terms"] for row in rows if row["inclusion_terms"]}
    builder = IndexBuilder()
    builder.add(entry(row, terms.get(row["parent"], []) if has_encounter(row["code"]) else []) for row in rows)
    return marked(builder.finish())


ICD10 = CodeSet(CodeSystem.ICD10CM, CodeDomain.ICD10, load)
