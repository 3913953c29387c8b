"""Clients of outside systems, and other objects that a process opens once, keeps, and closes when it ends.

A domain declares each of them as a constant, `app/registry.py` lists it, and the runtime holds it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from app.core.pools import OUTSIDE

if TYPE_CHECKING:
    from app.core.runtime import Runtime

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Held(Generic[T]):
    """The declaration of an object that a process has once. The declaration is also the key of that object.

    `open` runs in one thread at a time and may block. `started` runs on the event loop of a web process before its
    first request. An object without `started` is opened at its first use. `close` runs on the event loop.
    """

    name: str
    open: Callable[[Runtime], T]
    close: Callable[[T], Awaitable[None]] | None = None
    started: Callable[[T], object] | None = None


@dataclass(frozen=True, eq=False)
class Gateway(Held[T]):
    """The client of an outside system."""


@dataclass(slots=True)
class _Slot:
    opening: threading.RLock = field(default_factory=threading.RLock)
    value: Any = None
    is_open: bool = False
    closed: bool = False


class Gateways:
    """The objects that one process holds. A declaration that the registry does not list is refused with LookupError."""

    def __init__(self, runtime: Runtime, declared: Iterable[Held[Any]]) -> None:
        self._runtime = runtime
        self._slots: dict[Held[Any], _Slot] = {held: _Slot() for held in declared}
        names = [held.name for held in self._slots]
        if len(set(names)) < len(names):
            raise ValueError(f"two of these have one name: {', '.join(sorted(names))}")

    def get(self, held: Held[T]) -> T:
        """The object of this process. The first call opens it; callers in other threads wait.

        Opening may block, so code on the event loop uses `reach` for slow objects. Raises LookupError if it is not
        listed, RuntimeError after `close`, and every error of the opening. The next call then tries again.
        """
        slot = self._slots.get(held)
        if slot is None:
            raise LookupError(f"{held.name} is not listed in app/registry.py")
        if not slot.is_open:
            with slot.opening:
                if slot.closed:
                    raise RuntimeError(f"{held.name} is asked for after the runtime was closed")
                if not slot.is_open:
                    slot.value = held.open(self._runtime)
                    slot.is_open = True
        return cast("T", slot.value)

    async def reach(self, held: Held[T]) -> T:
        """The same as `get`, but opens outside the event loop."""
        slot = self._slots.get(held)
        if slot is not None and slot.is_open:
            return cast("T", slot.value)
        return await OUTSIDE.run(self.get, held)

    def start(self) -> None:
        """Opens what has a `started`, and runs that. A web process calls this once, before its first request."""
        for held in self._slots:
            if held.started is not None:
                held.started(self.get(held))

    @contextlib.contextmanager
    def replace(self, held: Held[T], value: T) -> Iterator[None]:
        """For tests: `value` replaces `held` within the block. The caller closes `value`."""
        slot = self._slots[held]
        with slot.opening:
            before = slot.value, slot.is_open
            slot.value, slot.is_open = value, True
        try:
            yield
        finally:
            with slot.opening:
                slot.value, slot.is_open = before

    async def stop(self) -> None:
        """Closes what `start` has opened. The rest stays open for work that still runs. Raises as `close`."""
        await self._close([held for held in self._slots if held.started is not None])

    async def close(self) -> None:
        """Closes every open object, the last declared first. A failure does not stop the closing of the others.

        Raises an ExceptionGroup of the failures at the end. A second call does nothing.
        """
        await self._close(list(self._slots))

    async def _close(self, chosen: list[Held[Any]]) -> None:
        failures: list[Exception] = []
        for held in chosen:
            self._slots[held].closed = True
        for held in reversed(chosen):
            value, was_open = await OUTSIDE.run(_emptied, self._slots[held])
            if not was_open or held.close is None:
                continue
            try:
                await held.close(value)
            except Exception as error:
                failures.append(error)
        if failures:
            raise ExceptionGroup("not everything was closed", failures)


def _emptied(slot: _Slot) -> tuple[Any, bool]:
    """Takes the object out of its slot. It waits for a running opening, so that nothing opens after the close."""
    with slot.opening:
        value, was_open = slot.value, slot.is_open
        slot.value, slot.is_open = None, False
    return value, was_open
