"""Looks up ICD-10-CM codes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends

from app.coding.icd10.index import ICD10_BOOK, SUGGESTED, covers, query
from app.coding.icd10.models import Icd10Kind
from app.coding.icd10.repository import list_ancestors, list_children, list_periods
from app.coding.icd10.schemas import Icd10Detail, Icd10Found, Icd10Heading, Icd10Results
from app.coding.lookup.book import CodeBook, Consultation
from app.coding.releases.models import CodeSystem
from app.coding.releases.repository import find_current_release
from app.coding.releases.schemas import ReleaseRead
from app.coding.search.index import compact
from app.coding.search.ranking import search
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork
from app.core.dependencies import ReadUow, RuntimeDependency
from app.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Icd10Search:
    """`on`: the day on which a code must be valid. Any other field that is None does not filter."""

    text: str
    on: dt.date
    limit: int
    billable: bool | None = None
    category: str | None = None
    suggested_for: str | None = None


class Icd10Lookup:
    def __init__(self, uow: ReadUnitOfWork, book: CodeBook) -> None:
        self._uow = uow
        self._book = book

    async def consult(self) -> Consultation:
        """The data that answers a search now."""
        return await self._book.consult(self._uow)

    async def get(self, code: str, on: dt.date) -> Icd10Detail:
        """The code as valid on that day, or in its latest period. Raises NotFound."""
        periods = await list_periods(self._uow, [compact(code)])
        release = await find_current_release(self._uow, CodeSystem.ICD10CM)
        if not periods or release is None:
            raise NotFound
        row = period_on(periods, on) or periods[-1]
        above = await list_ancestors(self._uow, row["parent"]) if row["parent"] is not None else []
        below = [child for child in await list_children(self._uow, row["code"]) if is_valid(child, on)]
        return Icd10Detail(
            code=row["code"],
            kind=Icd10Kind(row["kind"]),
            description=row["description"],
            short_description=row["short_description"],
            inclusion_terms=row["inclusion_terms"],
            billable=row["billable"],
            category=row["category"],
            chapter=row["chapter"],
            valid=is_valid(row, on),
            valid_from=row["valid_from"],
            valid_to=row["valid_to"],
            suggested_for=suggesting_lists(row["code"]),
            ancestors=_headings(above),
            children=_headings(below),
            release=ReleaseRead(**{**dict(release), "imported_at": release["created_at"]}),
        )


def find_codes(consulted: Consultation, asked: Icd10Search) -> Icd10Results:
    """The codes found. The search is in memory and sends no statement."""
    codes = consulted.codes
    index = codes.index
    among = index.valid_on(asked.on)
    if asked.billable is not None:
        among &= index.leading if asked.billable else ~index.leading
    if asked.category is not None:
        among &= index.coded_set(asked.category)
    if asked.suggested_for is not None:
        among &= codes.lists.get(asked.suggested_for, 0)
    found = search(index, query(codes, consulted.vocabulary, asked.text, among, asked.limit))
    return Icd10Results(
        release=codes.release,
        items=[
            Icd10Found(
                code=index.codes[number],
                description=index.names[number],
                billable=bool(index.leading >> number & 1),
                valid_from=(period := index.periods[index.period_of[number]])[0],
                valid_to=period[1],
                suggested_for=suggesting_lists(index.codes[number]),
            )
            for number in found
        ],
    )


def suggesting_lists(code: str) -> list[str]:
    return [name for name in SUGGESTED if covers(name, code)]


def is_valid(row: Any, on: dt.date) -> bool:
    """True if a period covers that day."""
    return bool(row["valid_from"] <= on and (row["valid_to"] is None or on <= row["valid_to"]))


def period_on(periods: Sequence[Any], on: dt.date) -> Any:
    """The period of one code that covers that day, or None."""
    return next((row for row in periods if is_valid(row, on)), None)


def _headings(rows: Iterable[Any]) -> list[Icd10Heading]:
    """One heading per code, from its latest period."""
    latest = {row["code"]: row for row in rows}
    return [Icd10Heading.model_validate(dict(row)) for row in latest.values()]


def today() -> dt.date:
    """The server's day in UTC, because a release starts at midnight of no certain time zone."""
    return utcnow().date()


async def icd10_lookup(runtime: RuntimeDependency, uow: ReadUow) -> Icd10Lookup:
    return Icd10Lookup(uow, runtime.gateways.get(ICD10_BOOK))


Icd10Lookups = Annotated[Icd10Lookup, Depends(icd10_lookup)]
