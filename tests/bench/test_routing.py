"""The measurement of finding a route still measures, and the three searches still find the same routes."""

from __future__ import annotations

import asyncio
import sys

import orjson

from bench.scratch import ROOT


async def test_every_search_is_measured_at_both_sizes() -> None:
    """Exits with 1 when the searches find different routes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.routing", "--json", "--rounds", "1",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    summary = orjson.loads(output)
    assert set(summary) == {"table", "Starlette", "FastAPI"}
    assert all(set(measures) == {"1x µs", "1x ratio", "3x µs", "3x ratio"} for measures in summary.values())
    assert all(value > 0 for measures in summary.values() for value in measures.values())
    assert summary["Starlette"]["1x ratio"] == summary["Starlette"]["3x ratio"] == 1
