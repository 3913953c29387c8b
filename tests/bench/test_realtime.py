"""The measurement of the websocket still measures, and its rival still sends what the service has sent."""

from __future__ import annotations

import asyncio
import sys

import orjson

from bench.scratch import ROOT


async def test_messages_and_autosaves_are_measured() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.realtime", "--json", "--sockets", "5", "--rounds", "1", "--events", "2",
        "--clients", "2", "--seconds", "0.2", cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    summary = orjson.loads(output)
    assert list(summary) == [
        "message, service", "message, bare websockets", "autosave, no socket", "autosave, idle sockets"
    ]  # fmt: skip
    assert all(measures["CPU µs"] > 0 for measures in summary.values())
    assert all(summary[name]["ms to the last"] > 0 for name in list(summary)[:2])
