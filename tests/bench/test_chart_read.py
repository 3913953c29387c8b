"""The measurement of the chart read still measures, and its two variants still answer the same chart."""

from __future__ import annotations

import asyncio
import sys

import orjson

from bench.scratch import ROOT


async def test_both_variants_answer_the_same_chart_and_are_measured() -> None:
    """Exits with 1 when the answers differ."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.chart_read", "--json", "--vitals", "5", "--interventions", "3", "--rounds", "1",
        "--reads", "2", cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    summary = orjson.loads(output)
    assert set(summary) == {"real", "hand-written"}
    assert all(measures["p50 ms"] > 0 for measures in summary.values())
