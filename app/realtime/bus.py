"""Redis between the processes: the relay's batches, and who is in which chart. Without Redis nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app.core.logging import get_logger

IDLE_SECONDS = 5.0
RETRY_SECONDS = 0.5
ANSWER_SECONDS = 2.0

_log = get_logger(__name__)


def connect(address: str) -> Redis:
    """A client that says at once that a connection is lost. The shared one would try again in silence."""
    return Redis.from_url(
        address,
        socket_connect_timeout=ANSWER_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
    )


class Bus:
    """`handlers` take the messages of their Redis channels. `on_change` hears whether this process hears the others."""

    def __init__(
        self, redis: Redis | None, handlers: Mapping[str, Callable[[str], None]], on_change: Callable[[bool], None]
    ) -> None:
        self._redis = redis
        self._handlers = handlers
        self._on_change = on_change
        self.connected = False
        self.settled = asyncio.Event()
        """Set when the first attempt to connect has ended."""

    async def run(self) -> None:
        """Listen until cancelled."""
        if self._redis is None:
            self.settled.set()
            return
        while True:
            try:
                await self._listen(self._redis)
            except (RedisError, OSError) as error:
                _log.warning("the other processes are not heard", exc_info=error)
            self._turn(connected=False)
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self, redis: Redis) -> None:
        """Raises RedisError or OSError when the connection is lost, or silent although it was asked to answer."""
        async with redis.pubsub() as subscription:
            await subscription.subscribe(*self._handlers)
            asked = False
            while True:
                message = await subscription.get_message(timeout=IDLE_SECONDS)
                if message is not None:
                    asked = False
                    self._hear(message)
                elif asked:
                    raise ConnectionError("Redis does not answer")
                else:
                    asked = True
                    await self._ask(subscription)

    async def _ask(self, subscription: PubSub) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            await subscription.ping()

    def _hear(self, message: Mapping[str, Any]) -> None:
        """A confirmed subscription means that messages may have been missed before it."""
        if message["type"] == "message":
            self._handlers[message["channel"]](message["data"])
        elif message["type"] == "subscribe":
            self._turn(connected=True)

    def _turn(self, *, connected: bool) -> None:
        self.settled.set()
        if connected != self.connected or connected:
            self.connected = connected
            self._on_change(connected)

    async def publish(self, channel: str, text: str) -> None:
        """Tells the other processes, if they can be told."""
        if self._redis is None or not self.connected:
            return
        try:
            await self._redis.publish(channel, text)
        except (RedisError, OSError) as error:
            _log.warning("the other processes were not told", exc_info=error)

    async def store(self, key: str, field: str, text: str | None, seconds: int) -> None:
        """Keeps a field of a hash for processes that come later, or removes it."""
        if self._redis is None or not self.connected:
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                if text is None:
                    pipeline.hdel(key, field)
                else:
                    pipeline.hset(key, field, text)
                    pipeline.expire(key, seconds)
                await pipeline.execute()
        except (RedisError, OSError) as error:
            _log.warning("presence was not stored", exc_info=error)

    async def load(self, key: str) -> list[str]:
        """The fields of a hash."""
        if self._redis is None or not self.connected:
            return []
        try:
            held: Any = await self._redis.hgetall(key)
        except (RedisError, OSError) as error:
            _log.warning("presence was not read", exc_info=error)
            return []
        return list(held.values())
