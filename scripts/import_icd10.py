"""Import a release of ICD-10-CM.

`python -m scripts.import_icd10 --order-file icd10cm_order_2027.txt --effective 2026-10-01`

Sources: CMS's order file; a CSV
(`code,description[,short_description,billable,category,chapter,parent,inclusion_terms]`); or `--shipped`, the whole
code set of the package simple-icd-10-cm. One transaction, all or nothing; a refused line is
named and nothing is changed. The same release again corrects it; what a newer one lacks is retired by date.
A CSV is a selection of ICD-10-CM unless `--whole` says that it is all of it. A selection adds and changes codes and
retires none; until a whole release is loaded, no claim is refused for a code that is not there, and a selection
withdraws what an earlier one of the same name alone brought.
Connects as the owner (MIGRATION_DATABASE_URL).
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import sys
from functools import partial
from pathlib import Path

from app.coding.releases.models import CodeSystem
from app.registry import load_settings
from scripts.codesets.icd10 import Reader, import_icd10
from scripts.codesets.icd10_sources import read_csv, read_order_file, read_shipped, shipped_set
from scripts.codesets.reading import BadRelease, Source
from scripts.codesets.releases import Release, owner_connection


def parser() -> argparse.ArgumentParser:
    parsed = argparse.ArgumentParser(prog="python -m scripts.import_icd10", description=(__doc__ or "").split("\n")[0])
    source = parsed.add_mutually_exclusive_group(required=True)
    source.add_argument("--order-file", type=Path, metavar="FILE", help="CMS's icd10cm_order_YYYY.txt")
    source.add_argument("--csv", type=Path, metavar="FILE", help="UTF-8, with a head line")
    source.add_argument("--shipped", action="store_true", help="the code set of the package simple-icd-10-cm")
    parsed.add_argument(
        "--effective",
        type=dt.date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="the first day on which the release is used (files do not say): October 1 or April 1",
    )
    parsed.add_argument("--release", help="its name; default: that day")
    parsed.add_argument("--whole", action="store_true", help="the CSV is all of ICD-10-CM: what it lacks is retired")
    parsed.add_argument("--allow-retiring", action="store_true", help="even if the release lacks many codes")
    return parsed


async def run(given: argparse.Namespace) -> None:
    """Import the release that the arguments name. Raises BadRelease and OSError."""
    async with owner_connection(load_settings()) as connection:
        source, read, effective = _source(given)
        release = Release(CodeSystem.ICD10CM, given.release or effective.isoformat(), effective)
        whole = given.whole or given.csv is None
        report = await import_icd10(connection, release, source, read, whole=whole, allow_retiring=given.allow_retiring)
        [(codes, billable)] = await connection.fetch(
            "SELECT count(*), count(*) FILTER (WHERE billable) FROM icd10_codes"
            " WHERE kind = 'code' AND valid_to IS NULL AND deleted_at IS NULL"
        )
    print(
        f"ICD-10-CM {release.name} of {source.name}: {report.rows:,} rows, {report.added:,} added,"
        f" {report.changed:,} changed, {report.retired:,} retired, {report.withdrawn:,} withdrawn."
        f" In force: {codes:,} codes, {billable:,} of them billable."
    )


def _source(given: argparse.Namespace) -> tuple[Source, Reader, dt.date]:
    if given.whole and given.csv is None:
        raise BadRelease("--whole is said of a CSV: the other sources are whole anyway")
    if given.shipped:
        shipped = shipped_set()
        return Source(shipped.source), read_shipped, given.effective or shipped.effective_from
    path: Path = given.order_file or given.csv
    if given.effective is None:
        raise BadRelease("--effective is missing: a file does not say from when its codes are used")
    return Source(path.name), partial(read_order_file if given.order_file else read_csv, path), given.effective


def main(arguments: list[str]) -> int:
    try:
        asyncio.run(run(parser().parse_args(arguments)))
    except (BadRelease, OSError) as error:
        print(f"not imported: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
