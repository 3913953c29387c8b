"""Takes new events to the open channels, in the order of their positions. The database is the truth.

The relay's batches come directly or through Redis. One that does not follow what was read makes the pump read the
database, and so does the clock.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from app.core.logging import get_logger
from app.core.outbox.positions import Batch, Placed
from app.core.outbox.repository import (
    get_cross_tenant_for_admin_only_last_position,
    get_cross_tenant_for_admin_only_positions,
)
from app.core.runtime import Runtime
from app.realtime.messages import encode_event
from app.realtime.subscription import Subscriptions

POLL_SECONDS = 5.0
DEGRADED_POLL_SECONDS = 0.5
RETRY_SECONDS = 0.5
PAGE = 500
MOST_WAITING = 256
"""Batches that wait for the pump. Older ones are dropped, and read from the database."""

_log = get_logger(__name__)


class Pump:
    """`place` is the position up to which everything was dispatched; None before the first read."""

    def __init__(self, runtime: Runtime, subscriptions: Subscriptions, on_caught_up: Callable[[], None]) -> None:
        self._runtime = runtime
        self._subscriptions = subscriptions
        self._on_caught_up = on_caught_up
        self._versions = {
            topic.name: topic.broadcast.version for topic in runtime.composition.topics if topic.broadcast is not None
        }
        self._batches: deque[Batch] = deque(maxlen=MOST_WAITING)
        self._wake = asyncio.Event()
        self._must_read = True
        self.place: int | None = None
        self.ready = asyncio.Event()
        self.poll_seconds = DEGRADED_POLL_SECONDS

    def push(self, batch: Batch) -> None:
        """A batch of the relay. It may come twice, late, or never."""
        self._batches.append(batch)
        self._wake.set()

    def read_soon(self) -> None:
        """Reads the database at once."""
        self._must_read = True
        self._wake.set()

    async def run(self) -> None:
        """Ends when cancelled."""
        while True:
            try:
                await self._turn()
            except Exception as error:  # a pump that ended would silently leave every client without events
                self._must_read = True
                _log.warning("events not dispatched", exc_info=error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if not self._batches:
                await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self.poll_seconds):
                await self._wake.wait()
        except TimeoutError:
            self._must_read = True
        self._wake.clear()

    async def _turn(self) -> None:
        """Nothing is shown while the process cannot know whose access was revoked."""
        await self._runtime.gate.keep_fresh()
        while self._batches:
            self._take(self._batches.popleft())
        if self._must_read:
            self._must_read = False
            await self._read()
            self._on_caught_up()

    def _take(self, batch: Batch) -> None:
        if self.place is None or batch.before > self.place:
            self._must_read = True
            return
        for placed in batch.events:
            self._dispatch(placed)

    async def _read(self) -> None:
        if self.place is None:
            async with self._runtime.system_unit_of_work() as uow:
                self.place = await get_cross_tenant_for_admin_only_last_position(uow)
            self.ready.set()
        while True:
            async with self._runtime.system_unit_of_work() as uow:
                events = await get_cross_tenant_for_admin_only_positions(uow, self.place, PAGE)
            for placed in events:
                self._dispatch(placed)
            if len(events) < PAGE:
                return

    def _dispatch(self, placed: Placed) -> None:
        if self.place is not None and placed.id > self.place:
            self.place = placed.id
            self._subscriptions.dispatch(placed, self.encode)

    def encode(self, placed: Placed) -> str:
        """A topic that only a newer version of the service declares has the first version of its schema here."""
        return encode_event(placed, self._versions.get(placed.topic, 1))
