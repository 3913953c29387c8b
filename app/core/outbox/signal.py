"""Wakes the relay after a commit: directly in this process, through Redis in another one. Polling is the fallback."""

from __future__ import annotations

import asyncio
import contextlib

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core.logging import get_logger

_log = get_logger(__name__)


class OutboxSignal:
    """`notify` is cheap and never blocks: every request that published calls it at its end."""

    def __init__(self, redis: Redis | None, channel: str) -> None:
        self._redis = redis
        self._channel = channel
        self._wake = asyncio.Event()
        self._poke = asyncio.Event()
        self.leading = False

    def notify(self) -> None:
        if self.leading:
            self._wake.set()
        else:
            self._poke.set()

    async def wait(self, seconds: float) -> None:
        """Wait until notified, at most `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(
                seconds
            ):  # wait_for of Python 3.11 loses a cancellation that comes together with a notification
                await self._wake.wait()
        self._wake.clear()

    async def run(self) -> None:
        """Send notifications to other processes and receive theirs. Ends when cancelled.

        A second cancellation reaches both (a TaskGroup would pass on the first only, which redis-py may lose).
        """
        if self._redis is not None:
            await asyncio.gather(self._send(self._redis), self._receive(self._redis))

    async def _send(self, redis: Redis) -> None:
        while True:
            await self._poke.wait()
            self._poke.clear()
            try:
                await redis.publish(self._channel, b"")
            except (RedisError, OSError) as error:
                _log.warning("outbox poke not sent", exc_info=error)
                await asyncio.sleep(1)

    async def _receive(self, redis: Redis) -> None:
        while True:
            try:
                async with redis.pubsub() as subscription:
                    await subscription.subscribe(self._channel)
                    while True:
                        message = await subscription.get_message(ignore_subscribe_messages=True, timeout=30)
                        if message is not None:
                            self._wake.set()
            except (RedisError, OSError) as error:
                _log.warning("outbox pokes not received", exc_info=error)
                await asyncio.sleep(1)
