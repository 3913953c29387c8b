"""The measurement of the autosave still measures: its counter counts, and its three variants still do equal work."""

from __future__ import annotations

import asyncio
import itertools
import sys

import asyncpg
import orjson

from bench.scratch import ROOT, dsn_of
from bench.wire import RoundTrips
from tests.support.database import TestDatabase


async def test_round_trips_are_counted_on_the_wire(database: TestDatabase) -> None:
    wire = RoundTrips(database.app)
    async with wire.listening() as port:
        connection = await asyncpg.connect(dsn_of(database.app, port=port))
        seen = [wire.count]
        for query in ("BEGIN;SELECT 1", "COMMIT"):
            await connection.execute(query)
            seen.append(wire.count)
        for number in (1, 2):
            assert await connection.fetchval("SELECT $1::int", number) == number
            seen.append(wire.count)
        await connection.close()
    assert [after - before for before, after in itertools.pairwise(seen)] == [1, 1, 2, 1]


async def test_autosave_takes_four_round_trips_and_stores_what_its_rivals_store() -> None:
    """Exits with 1 when an answer or a stored row of the variants differs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.autosave", "--json", "--clients", "2", "--rounds", "1", "--seconds", "0.2",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    summary = orjson.loads(output)
    assert summary["real"]["round trips"] <= 4
    assert summary["hand-written"]["round trips"] == 4
    assert summary["plain ORM"]["round trips"] > 4
    assert all(measures["Python µs"] > 0 and measures["requests/s"] > 0 for measures in summary.values())
