"""Circuit breakers: after several failures in a row no calls go to an outside system for a while.

Each process has its own breakers, so processes notice an outage one by one. docs/adr/0018-outbound-attempts.md says
why no library does this.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """The breaker opens for `pause` after `failures` in a row. Then one call may try; the others wait for it."""

    failures: int
    pause: dt.timedelta


@dataclass(slots=True)
class _Failing:
    count: int = 0
    open_until: float | None = field(default=None)


class Breakers:
    """The breakers of a process, by key. Only keys whose last call failed take up memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failing: dict[str, _Failing] = {}

    def time_to_wait(self, key: str, rule: BreakerRule) -> dt.timedelta | None:
        """How long the breaker stays open; None when the call may be made.

        After the pause, the first caller may call. The others wait for another pause unless that call succeeds. So a
        caller that dies does not block the others for ever.
        """
        failing = self._failing.get(key)
        if failing is None or failing.open_until is None:
            return None
        now = self._clock()
        if now < failing.open_until:
            return dt.timedelta(seconds=failing.open_until - now)
        failing.open_until = now + rule.pause.total_seconds()
        return None

    def succeeded(self, key: str) -> None:
        """Record that the system has answered. A refusal of one item counts as an answer too."""
        self._failing.pop(key, None)

    def failed(self, key: str, rule: BreakerRule) -> None:
        failing = self._failing.setdefault(key, _Failing())
        failing.count += 1
        if failing.count >= rule.failures:
            failing.open_until = self._clock() + rule.pause.total_seconds()
