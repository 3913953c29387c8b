"""The measurement of finding calls still measures; what the indexes are for is in tests/ems/test_search.py."""

from __future__ import annotations

import asyncio
import sys

import orjson

from bench.scratch import ROOT


async def test_every_page_is_measured() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.search", "--json", "--incidents", "3000", "--others", "300", "--page", "10",
        "--rounds", "1", "--reads", "2", cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    summary = orjson.loads(output)
    assert set(summary) == {
        "list, first page", "list, page 10", "by dispatch, first page", "by dispatch, page 10", "search quackenbush",
        "search smith", "search s, first page", "search s, page 10",
    }  # fmt: skip
    assert all(measures["p50 ms"] > 0 for measures in summary.values())
