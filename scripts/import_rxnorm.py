"""Import a release of RxNorm.

`python -m scripts.import_rxnorm --rrf RxNorm_full_10052026/rrf --effective 2026-10-05`

Sources: NLM's RRF files (RXNCONSO, RXNREL, RXNSAT), a CSV
(`rxcui,name[,tty,ingredient_rxcui,ingredient_name,brands,synonyms,snomed,strength,suppressed]`), or `--shipped`: the
medications of ambulances and of patients' homes that ship with the service. One transaction, all or nothing; a
refused line is named and nothing is changed. RRF files are RxNorm itself: what they lack is retired by date. A CSV
is a selection: it retires nothing, what it has no column for stays as it is, and until RRF files are loaded it
withdraws what an earlier CSV of the same name alone brought.
Connects as the owner (MIGRATION_DATABASE_URL).
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import sys
from pathlib import Path

from app.coding.releases.models import CodeSystem
from app.registry import load_settings
from scripts.codesets.reading import BadRelease, Source
from scripts.codesets.releases import Release, owner_connection
from scripts.codesets.rxnorm import import_rxnorm
from scripts.codesets.rxnorm_sources import SHIPPED, SHIPPED_SINCE, SHIPPED_SOURCE, CsvFile, RrfFiles, RxNormFiles


def parser() -> argparse.ArgumentParser:
    parsed = argparse.ArgumentParser(prog="python -m scripts.import_rxnorm", description=(__doc__ or "").split("\n")[0])
    source = parsed.add_mutually_exclusive_group(required=True)
    source.add_argument("--rrf", type=Path, metavar="DIRECTORY", help="with RXNCONSO.RRF, RXNREL.RRF and RXNSAT.RRF")
    source.add_argument("--csv", type=Path, metavar="FILE", help="UTF-8, with a head line")
    source.add_argument("--shipped", action="store_true", help="the medications that ship with the service")
    parsed.add_argument("--effective", type=dt.date.fromisoformat, metavar="YYYY-MM-DD", help="the date of the release")
    parsed.add_argument("--release", help="its name; default: that date")
    parsed.add_argument("--allow-retiring", action="store_true", help="even if the release lacks many concepts")
    return parsed


async def run(given: argparse.Namespace) -> None:
    """Import the release that the arguments name. Raises BadRelease and OSError."""
    async with owner_connection(load_settings()) as connection:
        source, files, effective = _source(given)
        release = Release(CodeSystem.RXNORM, given.release or effective.isoformat(), effective)
        report = await import_rxnorm(connection, release, source, files, allow_retiring=given.allow_retiring)
    print(
        f"RxNorm {release.name} of {source.name}: {report.rows:,} concepts, {report.added:,} added,"
        f" {report.changed:,} changed, {report.retired:,} retired, {report.withdrawn:,} withdrawn;"
        f" {report.relations_added:,} relations added, {report.relations_dropped:,} dropped."
    )


def _source(given: argparse.Namespace) -> tuple[Source, RxNormFiles, dt.date]:
    if given.shipped:
        return Source(SHIPPED_SOURCE), CsvFile(SHIPPED), given.effective or SHIPPED_SINCE
    if given.effective is None:
        raise BadRelease("--effective is missing: the files do not say of which day they are")
    if given.rrf is not None:
        return Source(given.rrf.resolve().parent.name or "RRF"), RrfFiles(given.rrf), given.effective
    return Source(given.csv.name), CsvFile(given.csv), given.effective


def main(arguments: list[str]) -> int:
    try:
        asyncio.run(run(parser().parse_args(arguments)))
    except (BadRelease, OSError) as error:
        print(f"not imported: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
