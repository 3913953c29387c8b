"""The measurement of worklists still measures; what each list has is in tests/billing/worklists."""

from __future__ import annotations

import asyncio
import sys

import orjson

from bench.scratch import ROOT


async def test_every_page_is_measured() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.worklists", "--json", "--claims", "2000", "--page", "10", "--rounds", "1",
        "--reads", "2", cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    summary = orjson.loads(output)
    assert set(summary) == {
        "ready, first page", "ready, page 10", "by entry, first page", "by entry, page 10", "deadlines, first page",
        "deadlines, page 10", "counts", "open trips",
    }  # fmt: skip
    assert all(measures["p50 ms"] > 0 for measures in summary.values())
