"""How often somebody may try: by account and by address, with waits that grow and end (never a lock).

Shared by the processes through Redis; while it is away, each keeps stricter limits of its own in memory.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core.clock import timestamp
from app.core.errors import RateLimited
from app.core.keys import Keyring
from app.core.logging import get_logger

REDIS_SECONDS = 0.5
REDIS_RETRY_SECONDS = 10.0
Windows = tuple[RateLimitItem, ...]
T = TypeVar("T")
_log = get_logger(__name__)


class Attempt(StrEnum):
    """What is tried. A guess at the present password counts the same wherever it is made."""

    PASSWORD = "password"
    FORGOT = "forgot"


ACCOUNT_WINDOWS: dict[Attempt, Windows] = {
    Attempt.PASSWORD: (RateLimitItemPerMinute(5), RateLimitItemPerMinute(10, 15), RateLimitItemPerDay(30)),
    Attempt.FORGOT: (RateLimitItemPerMinute(3), RateLimitItemPerHour(6)),
}
REPORTS: Windows = (RateLimitItemPerMinute(1),)


def address_windows(failures: int) -> Windows:
    """Many people share the address of a station, hence the setting."""
    return RateLimitItemPerMinute(failures, 15), RateLimitItemPerDay(3 * failures)


def stricter(windows: Windows) -> Windows:
    """Half of each: every process counts for itself."""
    return tuple(type(window)(max(1, window.amount // 2), window.multiples) for window in windows)


@dataclass(frozen=True, slots=True)
class Counters:
    """Where attempts are counted, and how many are taken there. Windows go from the shortest to the longest."""

    limiter: FixedWindowRateLimiter
    accounts: dict[Attempt, Windows]
    address: Windows

    @classmethod
    def kept_in(cls, storage: Storage, accounts: dict[Attempt, Windows], address: Windows) -> Counters:
        return cls(FixedWindowRateLimiter(storage), accounts, address)

    async def take(self, windows: Sequence[RateLimitItem], key: str) -> None:
        """Count one in each window. Raises RateLimited at the first that is full: longer ones do not count refusals."""
        for window in windows:
            if not await self.limiter.hit(window, key):
                await self._refuse(window, key)

    async def require_room(self, windows: Sequence[RateLimitItem], key: str) -> None:
        """Count nothing. Raises RateLimited."""
        for window in windows:
            if not await self.limiter.test(window, key):
                await self._refuse(window, key)

    async def clear(self, windows: Sequence[RateLimitItem], key: str) -> None:
        for window in windows:
            await self.limiter.clear(window, key)

    async def _refuse(self, window: RateLimitItem, key: str) -> None:
        stats = await self.limiter.get_window_stats(window, key)
        raise RateLimited(max(1, math.ceil(stats.reset_time - timestamp())))


class Throttle:
    """An account's attempts are counted before they are judged, so that fifty at once are no more than five; a success
    clears them. Of an address only failures count. Keys are keyed digests: Redis holds no e-mail address.
    """

    def __init__(self, redis: Redis | None, keys: Keyring, *, address_failures: int) -> None:
        self._keys = keys
        address = address_windows(address_failures)
        self._own = Counters.kept_in(
            MemoryStorage(),
            {attempt: stricter(windows) for attempt, windows in ACCOUNT_WINDOWS.items()},
            stricter(address),
        )
        self._shared = None if redis is None else Counters.kept_in(_redis_storage(redis), ACCOUNT_WINDOWS, address)
        self._away_until = float("-inf")

    async def attempt(self, attempt: Attempt, slug: str, email: str) -> None:
        """Count an attempt on an account, which need not exist. Raises RateLimited."""
        key = self._account_key(attempt, slug, email)
        await self._counted(lambda counters: counters.take(counters.accounts[attempt], key))

    async def succeeded(self, attempt: Attempt, slug: str, email: str) -> None:
        """Whoever proved to be the user starts afresh."""
        key = self._account_key(attempt, slug, email)
        await self._counted(lambda counters: counters.clear(counters.accounts[attempt], key))

    async def require_room(self, address: str) -> None:
        """Raises RateLimited for an address that failed too often."""
        key = self._key("address", address)
        await self._counted(lambda counters: counters.require_room(counters.address, key))

    async def failed(self, address: str) -> None:
        """Count a failure. Who failed is told so; the next request of a full address is refused."""
        key = self._key("address", address)

        async def count(counters: Counters) -> None:
            for window in counters.address:
                await counters.limiter.hit(window, key)

        await self._counted(count)

    async def is_news(self, attempt: Attempt, slug: str, email: str) -> bool:
        """Whether a refusal is to be reported: one a minute and account, or a flood would fill the audit log."""
        key = self._key("report", attempt, slug, email)
        return await self._counted(lambda counters: counters.limiter.hit(REPORTS[0], key))

    def _account_key(self, attempt: Attempt, slug: str, email: str) -> str:
        return self._key(attempt, slug, email)

    def _key(self, *parts: str) -> str:
        return self._keys.seal("throttle", "\0".join(parts).encode("utf-8", "surrogatepass"))[:16].hex()

    async def _counted(self, count: Callable[[Counters], Awaitable[T]]) -> T:
        """By Redis, or by this process: for REDIS_RETRY_SECONDS after a failure Redis is not even asked."""
        if self._shared is not None and time.monotonic() >= self._away_until:
            try:
                async with asyncio.timeout(REDIS_SECONDS):
                    return await count(self._shared)
            except (RedisError, OSError, TimeoutError) as error:
                self._away_until = time.monotonic() + REDIS_RETRY_SECONDS
                _log.warning("attempts are counted by this process alone", exc_info=error)
        return await count(self._own)


def _redis_storage(redis: Redis) -> RedisStorage:
    """On the runtime's own connections; the address is only asked for its scheme."""
    pool: str = redis.connection_pool  # type: ignore[assignment]  # limits passes its options on untouched
    return RedisStorage(
        "async+redis://", implementation="redispy", key_prefix="fusionems:throttle", connection_pool=pool
    )


async def client_address(request: Request) -> str:
    """Who asks. Behind a proxy uvicorn reads X-Forwarded-For (FORWARDED_ALLOW_IPS). Of IPv6 the network of one site."""
    host = "" if request.client is None else request.client.host
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


ClientAddress = Annotated[str, Depends(client_address)]
