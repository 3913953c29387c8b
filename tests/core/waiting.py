"""Waiting for what another task, process or server does, without asserting how long it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def expect_eventually(holds: Callable[[], bool | Awaitable[bool]], seconds: float = 15) -> None:
    """Returns when `holds` is true. Raises TimeoutError when it never became true."""
    async with asyncio.timeout(seconds):
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.01)
