"""The fast way from the relay to the websockets: a batch goes to listeners of this process, and to others by Redis.

It may lose anything. Listeners read what they missed from the database.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core.logging import get_logger
from app.core.outbox.positions import Batch

MOST_WAITING = 64
"""Batches that wait for Redis. Older ones are dropped."""

_log = get_logger(__name__)


class Feed:
    """`channel` is the Redis channel of this database. Several installations may share one Redis."""

    def __init__(self, redis: Redis | None, channel: str) -> None:
        self._redis = redis
        self.channel = channel
        self._listeners: list[Callable[[Batch], None]] = []
        self._waiting: deque[Batch] = deque(maxlen=MOST_WAITING)
        self._wake = asyncio.Event()

    def listen(self, listener: Callable[[Batch], None]) -> None:
        self._listeners.append(listener)

    def ignore(self, listener: Callable[[Batch], None]) -> None:
        self._listeners.remove(listener)

    def send(self, batch: Batch) -> None:
        """Never blocks: the relay does not wait for Redis."""
        for listener in self._listeners:
            listener(batch)
        if self._redis is not None:
            self._waiting.append(batch)
            self._wake.set()

    async def run(self) -> None:
        """Send to other processes. Ends when cancelled."""
        if self._redis is None:
            return
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch = self._waiting.popleft()
                try:
                    await self._redis.publish(self.channel, batch.dump())
                except (RedisError, OSError) as error:
                    _log.warning("events not announced", exc_info=error)
