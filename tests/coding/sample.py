"""A part of ICD-10-CM in two releases, and the shipped medications, as the importers store them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

import asyncpg

from app.coding.releases.models import CodeSystem
from scripts.codesets.icd10 import import_icd10
from scripts.codesets.icd10_sources import Icd10Row
from scripts.codesets.reading import Refusals, Source
from scripts.codesets.releases import Release, Report
from scripts.codesets.rxnorm import import_rxnorm
from scripts.codesets.rxnorm_sources import SHIPPED, SHIPPED_SINCE, SHIPPED_SOURCE, CsvFile
from tests.coding.whole import shipped_rows

CATEGORIES = frozenset(("I20", "I21", "I63", "R06", "R07", "R47", "S62", "T68", "W19"))
SPRING, AUTUMN = dt.date(2026, 4, 1), dt.date(2026, 10, 1)
RETIRED, ADDED = "R07.82", "R07.85"
"""What the release of autumn no longer has, and what it has for the first time."""


def part_of(rows: Iterable[Icd10Row]) -> list[Icd10Row]:
    """Every heading, and the codes of CATEGORIES."""
    return [row for row in rows if row.category is None or row.category in CATEGORIES]


def autumn(rows: Iterable[Icd10Row]) -> list[Icd10Row]:
    kept = [row for row in rows if row.code != RETIRED]
    new = Icd10Row(1, ADDED, "code", "Chest pain after a test", billable=True, category="R07", chapter="18")
    return [*kept, new]


async def store(
    connection: asyncpg.Connection, rows: Iterable[Icd10Row], effective: dt.date, *, whole: bool = True
) -> Report:
    """These rows as a release."""

    def read(source: Source, refusals: Refusals) -> Iterator[Icd10Row]:
        yield from rows

    release = Release(CodeSystem.ICD10CM, effective.isoformat(), effective)
    return await import_icd10(connection, release, Source("a sample"), read, whole=whole)


async def load_sample(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        rows = part_of(shipped_rows())
        await store(connection, rows, SPRING)
        await store(connection, autumn(rows), AUTUMN)
        release = Release(CodeSystem.RXNORM, SHIPPED_SINCE.isoformat(), SHIPPED_SINCE)
        await import_rxnorm(connection, release, Source(SHIPPED_SOURCE), CsvFile(SHIPPED))
    finally:
        await connection.close()
