"""The measurement of the lookup still measures."""

from __future__ import annotations

import asyncio
import sys

import orjson
import pytest

from bench.coding import keystrokes
from bench.scratch import ROOT


def test_every_keystroke_is_a_query() -> None:
    typed = keystrokes()
    assert len(typed) > 1000 and {"ch", "che", "chest pain"} <= set(typed)


@pytest.mark.long
async def test_lookup_is_measured_beside_sqlite() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.coding", "--json", "--rounds", "1",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    summary = orjson.loads(output)
    assert summary["SQLite FTS5"]["p50 to SQLite"] == 1
    assert all(summary[way]["p50 ms"] > 0 for way in ("handler", "search", "SQLite FTS5"))
