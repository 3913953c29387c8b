"""Load the code sets that ship with the service where nothing newer is loaded: `python -m scripts.codesets`."""

from __future__ import annotations

import asyncio
import sys

import asyncpg

from app.coding.releases.models import CodeSystem
from app.registry import load_settings
from scripts.codesets.icd10 import import_icd10
from scripts.codesets.icd10_sources import read_shipped, shipped_set
from scripts.codesets.reading import BadRelease, Source
from scripts.codesets.releases import Release, newest, owner_connection
from scripts.codesets.rxnorm import import_rxnorm
from scripts.codesets.rxnorm_sources import SHIPPED, SHIPPED_SINCE, SHIPPED_SOURCE, CsvFile


async def load_shipped(connection: asyncpg.Connection) -> None:
    """ICD-10-CM once per release of the package: reading it takes seconds. Raises BadRelease."""
    shipped, loaded = shipped_set(), await newest(connection, CodeSystem.ICD10CM)
    if loaded is None or loaded["effective_from"] < shipped.effective_from:
        release = Release(CodeSystem.ICD10CM, shipped.effective_from.isoformat(), shipped.effective_from)
        await import_icd10(connection, release, Source(shipped.source), read_shipped, whole=True)
    loaded = await newest(connection, CodeSystem.RXNORM)
    if loaded is None or loaded["source"] == SHIPPED_SOURCE:
        release = Release(CodeSystem.RXNORM, SHIPPED_SINCE.isoformat(), SHIPPED_SINCE)
        await import_rxnorm(connection, release, Source(SHIPPED_SOURCE), CsvFile(SHIPPED))


async def main() -> None:
    async with owner_connection(load_settings()) as connection:
        await load_shipped(connection)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (BadRelease, OSError) as error:
        sys.exit(f"not imported: {error}")
