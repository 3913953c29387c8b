"""The measurement of the readiness still measures."""

from __future__ import annotations

import asyncio
import sys

import orjson

from bench.scratch import ROOT


async def test_every_variant_is_measured() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.readiness", "--json", "--vitals", "5", "--interventions", "3", "--rounds", "1",
        "--reads", "2", cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    summary = orjson.loads(output)
    assert set(summary) == {"chart", "unchanged", "after a save"}
    assert all(measures["p50 ms"] > 0 for measures in summary.values())
