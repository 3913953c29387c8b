"""Limits of attempts. A guess counts for the place it comes from. Every wait ends within a quarter of an hour.

Redis counts for all processes. While it is away, each process counts alone, with stricter limits (docs/adr/0030).
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, NamedTuple, Protocol, TypeVar

from fastapi import Depends, Request
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core.clock import timestamp
from app.core.errors import RateLimited
from app.core.ids import new_random_uuid
from app.core.keys import Keyring
from app.core.logging import get_logger
from app.core.sealed import Expiring, SealedTokens

REDIS_SECONDS = 0.5
REDIS_RETRY_SECONDS = 10.0
REDIS_AT_ONCE = 16
"""Questions to Redis under way: a flood must not open a connection for each of its requests."""
FAMILIAR_SECONDS = 90 * 86_400
"""An address or a device is familiar for so long after the last sign-in from it."""
REMEMBERED = 10_000
"""Familiar addresses that a process remembers itself, for the time when Redis is away."""
MINUTE = 60
T = TypeVar("T")
_log = get_logger(__name__)


class Window(NamedTuple):
    """The number of tries that are allowed within a number of seconds. The window begins with the first try."""

    amount: int
    seconds: int


Windows = tuple[Window, ...]


class Attempt(StrEnum):
    """What is tried. A guess at the present password counts the same whichever route it is made by."""

    PASSWORD = "password"
    FORGOT = "forgot"


class Account(NamedTuple):
    """The account that is tried, as the client names it. It need not exist. `email` is in lower case."""

    slug: str
    email: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of an attempt. `device` is the device token as the client sent it."""

    address: str
    device: str | None = None


SOURCE_WINDOWS: dict[Attempt, Windows] = {
    Attempt.PASSWORD: (Window(5, MINUTE), Window(10, 15 * MINUTE)),
    Attempt.FORGOT: (Window(3, MINUTE), Window(6, 15 * MINUTE)),
}
"""Attempts on one account from one address or device."""
STRANGER_WINDOWS: dict[Attempt, Windows] = {
    Attempt.PASSWORD: (Window(20, 15 * MINUTE),),
    Attempt.FORGOT: (Window(12, 15 * MINUTE),),
}
"""Attempts on one account from all unfamiliar addresses together."""
REPORT = Window(1, MINUTE)


def address_windows(failures: int) -> Windows:
    """The windows for failures of one address, on any account. Many people share the address of a station."""
    return (Window(failures, 15 * MINUTE),)


def stricter(window: Window) -> Window:
    """Half of the limit, because every process counts alone."""
    return Window(max(1, window.amount // 2), window.seconds)


class Count(NamedTuple):
    """A counter: one try adds one to `key` in `window`."""

    window: Window
    key: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A try, counted before it is judged.

    It counts for its own source. A stranger's try also counts for all strangers and for its address.
    """

    own: tuple[Count, ...] = ()
    strangers: tuple[Count, ...] = ()
    address: tuple[Count, ...] = ()

    @property
    def shared(self) -> tuple[Count, ...]:
        return self.strangers + self.address

    @property
    def all(self) -> tuple[Count, ...]:
        return self.own + self.shared


class Refusal(NamedTuple):
    """`first_full` is the index of the first full window. `seconds` is the time until the last full window ends."""

    first_full: int
    seconds: float


class AccountLimited(RateLimited):
    """The account itself was tried too often; a plain RateLimited concerns the address alone."""


class Counters(Protocol):
    """The store of counted tries. Every operation is atomic, so simultaneous tries each get their own number."""

    async def take(self, counts: Sequence[Count]) -> Refusal | None:
        """Counts one try in each window. If one window is full, it counts in none."""

    async def give_back(self, counts: Sequence[Count]) -> None:
        """Count one try less in each window that has not ended."""

    async def clear(self, counts: Sequence[Count]) -> None:
        """End each window."""


class SharedCounters:
    """Counters of all processes, in Redis. Each key is one window and expires with it."""

    _TAKE = """
        local first, wait = 0, 0
        for i, key in ipairs(KEYS) do
            if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[2 * i - 1]) then
                if first == 0 then first = i end
                wait = math.max(wait, redis.call('PTTL', key))
            end
        end
        if first > 0 then return {first, wait} end
        for i, key in ipairs(KEYS) do
            if redis.call('INCR', key) == 1 then redis.call('EXPIRE', key, ARGV[2 * i]) end
        end
        return {0, 0}
    """
    _GIVE_BACK = """
        for _, key in ipairs(KEYS) do
            if tonumber(redis.call('GET', key) or '0') > 0 then redis.call('DECR', key) end
        end
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._take = redis.register_script(self._TAKE)
        self._give_back = redis.register_script(self._GIVE_BACK)

    async def take(self, counts: Sequence[Count]) -> Refusal | None:
        limits = [number for count in counts for number in count.window]
        first, milliseconds = await self._take(_redis_keys(counts), limits)
        return Refusal(first - 1, milliseconds / 1000) if first else None

    async def give_back(self, counts: Sequence[Count]) -> None:
        if counts:
            await self._give_back(_redis_keys(counts))

    async def clear(self, counts: Sequence[Count]) -> None:
        await self._redis.delete(*_redis_keys(counts))


class OwnCounters:
    """Counters of this process alone, under stricter limits. No operation awaits, so each is atomic."""

    def __init__(self) -> None:
        self._held: dict[Count, tuple[int, float]] = {}
        self._swept_at = 0.0

    async def take(self, counts: Sequence[Count]) -> Refusal | None:
        now = time.monotonic()
        self._sweep(now)
        held = [(count, *self._present(count, now)) for count in counts]
        full = [number for number, (count, tries, _) in enumerate(held) if tries >= stricter(count.window).amount]
        if full:
            return Refusal(full[0], max(held[number][2] for number in full) - now)
        self._held.update((count, (tries + 1, ends)) for count, tries, ends in held)
        return None

    async def give_back(self, counts: Sequence[Count]) -> None:
        for count in counts:
            tries, ends = self._held.get(count, (0, 0.0))
            if tries:
                self._held[count] = tries - 1, ends

    async def clear(self, counts: Sequence[Count]) -> None:
        for count in counts:
            self._held.pop(count, None)

    def _present(self, count: Count, now: float) -> tuple[int, float]:
        """The number of tries in the window, and its end. A window that has ended begins again."""
        kept = self._held.get(count)
        return kept if kept is not None and kept[1] > now else (0, now + count.window.seconds)

    def _sweep(self, now: float) -> None:
        """Deletes the ended windows once a minute."""
        if now - self._swept_at >= MINUTE:
            self._swept_at = now
            self._held = {count: kept for count, kept in self._held.items() if kept[1] > now}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Device(Expiring):
    """`account` and `password` are digests. The token is useless for another account and after a new password."""

    account: str
    password: str
    device: uuid.UUID


_DEVICES = SealedTokens("device-token", _Device)


class Throttle:
    """Tries are counted before they are judged. Keys are keyed digests, so Redis holds no e-mail address.

    An address or device is familiar if the user has signed in from it with the present password. Only tries from
    itself count against it. Every other try counts for its source, for all strangers to the account together, and for
    its address.
    """

    def __init__(self, redis: Redis | None, keys: Keyring, *, address_failures: int) -> None:
        self._keys = keys
        self._address = address_windows(address_failures)
        self._own = OwnCounters()
        self._shared = None if redis is None else SharedCounters(redis)
        self._redis = redis
        self._turns = asyncio.Semaphore(REDIS_AT_ONCE)
        self._away_until = float("-inf")
        self._familiar: OrderedDict[str, str] = OrderedDict()

    async def attempt(
        self, attempt: Attempt, account: Account, origin: Origin, find_hash: Callable[[], Awaitable[str | None]]
    ) -> Counted:
        """Counts a try. `find_hash` loads the account's password hash. It is called only where somebody signed in
        before, so a flood of strangers is refused without a database query. Raises RateLimited.
        """
        familiar = await self._familiar_source(account, origin, find_hash)
        source = familiar or _address(origin)
        own = self._counts(SOURCE_WINDOWS[attempt], attempt, *account, source)
        counted = Counted(own)
        if familiar is None:
            strangers = self._counts(STRANGER_WINDOWS[attempt], attempt, *account)
            counted = Counted(own, strangers, self._counts(self._address, "address", origin.address))
        await self._take(counted)
        return counted

    async def guess(self, address: str) -> None:
        """Count a token that this service cannot have made. Raises RateLimited for an address that guesses too much."""
        await self._take(Counted(address=self._counts(self._address, "address", address)))

    async def unjudged(self, counted: Counted) -> None:
        """Takes a try back that was not judged. It does not count."""
        await self._counted(lambda counters: counters.give_back(counted.all))

    async def succeeded(self, counted: Counted, account: Account, origin: Origin, password_hash: str) -> None:
        """The user's own counters are cleared, as in `remember`. The tries of strangers stay counted."""

        async def settle(counters: Counters) -> None:
            await counters.clear(counted.own)
            await counters.give_back(counted.shared)

        await self._counted(settle)
        await self.remember(account, origin, password_hash)

    async def remember(self, account: Account, origin: Origin, password_hash: str) -> None:
        """Makes the address familiar for the user with this password, and clears its counters."""
        tried = self._counts(SOURCE_WINDOWS[Attempt.PASSWORD], Attempt.PASSWORD, *account, _address(origin))
        await self._counted(lambda counters: counters.clear(tried))
        key, digest = self._key("familiar", *account, origin.address), self._password_digest(password_hash)
        self._familiar[key] = digest
        self._familiar.move_to_end(key)
        if len(self._familiar) > REMEMBERED:
            self._familiar.popitem(last=False)
        await self._asked(lambda redis: redis.set(_redis_key(key), digest, ex=FAMILIAR_SECONDS))

    def device_token(self, account: Account, origin: Origin, password_hash: str) -> str:
        """A text that makes the client's device familiar. A device that has one keeps its identity."""
        known = self._device(account, origin)
        device = _Device(
            account=self._key("device", *account),
            password=self._password_digest(password_hash),
            device=new_random_uuid() if known is None else known.device,
            expires=int(timestamp()) + FAMILIAR_SECONDS,
        )
        return _DEVICES.write(self._keys, device)

    async def is_first_this_minute(self, attempt: Attempt, account: Account) -> bool:
        """True if a refusal is to be reported: one report a minute per account; a flood would fill the audit log."""
        key = self._key("report", attempt, *account)
        return await self._counted(lambda counters: counters.take([Count(REPORT, key)])) is None

    async def _take(self, counted: Counted) -> None:
        refusal = await self._counted(lambda counters: counters.take(counted.all))
        if refusal is not None:
            kind = RateLimited if counted.all[refusal.first_full] in counted.address else AccountLimited
            raise kind(max(1, math.ceil(refusal.seconds)))

    async def _familiar_source(
        self, account: Account, origin: Origin, find_hash: Callable[[], Awaitable[str | None]]
    ) -> str | None:
        """The source that a familiar attempt counts for, or None for a stranger's attempt."""
        device, key = self._device(account, origin), self._key("familiar", *account, origin.address)
        known = self._familiar.get(key), await self._asked(lambda redis: redis.get(_redis_key(key)))
        if device is None and not any(known):
            return None
        present = self._password_digest(await find_hash() or "")
        if device is not None and device.password == present:
            return f"device {device.device}"
        return _address(origin) if present in known else None

    def _device(self, account: Account, origin: Origin) -> _Device | None:
        device = None if origin.device is None else _DEVICES.read(self._keys, origin.device)
        return device if device is not None and device.account == self._key("device", *account) else None

    def _password_digest(self, password_hash: str) -> str:
        return self._key("password", password_hash)

    def _counts(self, windows: Windows, *parts: str) -> tuple[Count, ...]:
        key = self._key(*parts)
        return tuple(Count(window, key) for window in windows)

    def _key(self, *parts: str) -> str:
        return self._keys.seal("throttle", "\0".join(parts).encode("utf-8", "surrogatepass"))[:16].hex()

    async def _counted(self, count: Callable[[Counters], Awaitable[T]]) -> T:
        """The answer of Redis, or of this process. For REDIS_RETRY_SECONDS after a failure Redis is not asked."""
        shared = self._shared
        if shared is not None:
            async with self._turns:
                if not self._is_away():
                    try:
                        async with asyncio.timeout(REDIS_SECONDS):
                            return await count(shared)
                    except (RedisError, OSError, TimeoutError) as error:
                        self._gone(error)
        return await count(self._own)

    async def _asked(self, ask: Callable[[Redis], Awaitable[T]]) -> T | None:
        """The answer of Redis, or None while it is away."""
        if self._redis is None:
            return None
        async with self._turns:
            if self._is_away():
                return None
            try:
                async with asyncio.timeout(REDIS_SECONDS):
                    return await ask(self._redis)
            except (RedisError, OSError, TimeoutError) as error:
                self._gone(error)
                return None

    def _is_away(self) -> bool:
        return time.monotonic() < self._away_until

    def _gone(self, error: Exception) -> None:
        self._away_until = time.monotonic() + REDIS_RETRY_SECONDS
        _log.warning("attempts are counted by this process alone", exc_info=error)


def _address(origin: Origin) -> str:
    return f"address {origin.address}"


def _redis_key(key: str) -> str:
    return f"fusionems:throttle:familiar:{key}"


def _redis_keys(counts: Sequence[Count]) -> list[str]:
    return [f"fusionems:throttle:{window.seconds}:{key}" for window, key in counts]


async def client_address(request: Request) -> str:
    """The client's address; for IPv6, the network of one site.

    Behind a proxy uvicorn reads it from X-Forwarded-For (FORWARDED_ALLOW_IPS).
    """
    host = "" if request.client is None else request.client.host
    forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
    request.app.state.runtime.proxies.notice(host, forwarded)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


ClientAddress = Annotated[str, Depends(client_address)]
