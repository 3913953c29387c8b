"""Refreshes that a client sends at the same time are gathered before the first of them rotates."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter

QUIET_SECONDS = 0.2
LONGEST_SECONDS = 2.0


class SharedRefreshes:
    """A refresh waits until no token of its session has come for `quiet` seconds. It waits `longest` seconds at most.

    A refresh that waits has arrived before the rotation, so it is no replay (docs/adr/0008-sessions.md). Each process
    gathers the refreshes that it receives.
    """

    def __init__(self, quiet: float = QUIET_SECONDS, longest: float = LONGEST_SECONDS) -> None:
        self._quiet = quiet
        self._longest = longest
        self._latest: dict[uuid.UUID, float] = {}
        self._waiting: Counter[uuid.UUID] = Counter()

    async def until_quiet(self, session_id: uuid.UUID) -> None:
        arrived = time.monotonic()
        self._latest[session_id] = arrived
        self._waiting[session_id] += 1
        try:
            while (left := self._end(session_id, arrived) - time.monotonic()) > 0:  # noqa: ASYNC110  # the end moves
                await asyncio.sleep(left)
        finally:
            self._waiting[session_id] -= 1
            if not self._waiting[session_id]:
                del self._waiting[session_id], self._latest[session_id]

    def _end(self, session_id: uuid.UUID, arrived: float) -> float:
        return min(self._latest[session_id] + self._quiet, arrived + self._longest)
