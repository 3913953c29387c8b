"""uvicorn's server that tells the balancer before it stops.

After SIGTERM readiness is 503, answers end their connections, and requests are still taken. After DRAIN_SECONDS the
process stops to accept, ends what is in flight within SHUTDOWN_SECONDS, and exits. A second signal ends the wait.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType

import uvicorn

from app.core.logging import get_logger
from app.core.serving.protocol import BoundedConfig

_CLOSE = (b"connection", b"close")
_log = get_logger(__name__)


class DrainingServer(uvicorn.Server):
    """`announce` makes readiness 503."""

    def __init__(self, config: BoundedConfig, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain_seconds = config.limits.drain_seconds
        self._announce = announce
        self._drains = False
        self._drained_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._drains = sig == signal.SIGTERM and not self.should_exit
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        if not await super().on_tick(counter):
            return False
        if not self._drains:
            return True
        if self._drained_at is None:
            self._drained_at = time.monotonic() + self._drain_seconds
            self.config.encoded_headers.append(_CLOSE)
            self.server_state.default_headers = [*self.server_state.default_headers, _CLOSE]
            self._announce()
            _log.info("draining")
        return time.monotonic() >= self._drained_at
