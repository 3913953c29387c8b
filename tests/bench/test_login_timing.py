"""The measurement of sign-ins and forgotten passwords still measures: every answer after real work, none by a limit."""

from __future__ import annotations

import asyncio
import sys

import orjson

from bench.scratch import ROOT


async def test_both_kinds_of_refusal_are_timed() -> None:
    """More logins than the back-off would let pass."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.login_timing", "--json", "--logins", "40", "--rounds", "4",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    timing = orjson.loads(output)
    assert timing["logins"] == 40
    assert timing["unknown_user_ms"] > 0 and timing["wrong_password_ms"] > 0
    assert timing["forgot_unknown_ms"] > 0 and timing["forgot_known_ms"] > 0
    assert timing["forgot_ratio"] == timing["forgot_unknown_ms"] / timing["forgot_known_ms"]
    assert timing["ratio"] == timing["unknown_user_ms"] / timing["wrong_password_ms"]
