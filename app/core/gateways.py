"""Clients of outside systems, and whatever else a process opens once, keeps, and closes when it ends.

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
    """Something of which a process has one. The declaration itself is the key under which it is held.

    `open` runs in one thread at a time and may block. `started` runs on the event loop of a web process before its
    first request; what has no `started` is opened at its first use. `close` runs on the event loop.
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
    """What one process holds. A declaration that the registry does not list is refused with LookupError."""

    def __init__(self, runtime: Runtime, declared: Iterable[Held[Any]]) -> None:
        self._runtime = runtime
        self._slots: dict[Held[Any], _Slot] = {held: _Slot() for held in declared}
        names = [held.name for held in self._slots]
        if len(set(names)) < len(names):
            raise ValueError(f"two of these have one name: {', '.join(sorted(names))}")

    def get(self, held: Held[T]) -> T:
        """The one of this process; it is opened when nobody has opened it yet. Callers in other threads wait.

        Opening may block: code on the event loop uses `reach` for what opens slowly. Raises LookupError for what is
        not listed, RuntimeError after `close`, and whatever opening raises; the next call then tries again.
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
        """As `get`, with the opening beside the event loop."""
        slot = self._slots.get(held)
        if slot is not None and slot.is_open:
            return cast("T", slot.value)
        return await OUTSIDE.run(self.get, held)

    def start(self) -> None:
        """Open what has a `started`, and run that. A web process calls it once, before its first request."""
        for held in self._slots:
            if held.started is not None:
                held.started(self.get(held))

    @contextlib.contextmanager
    def replace(self, held: Held[T], value: T) -> Iterator[None]:
        """For tests: `value` stands for `held` within the block. Whoever made `value` closes it."""
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
        """Close what `start` has started; the rest stays open for the work that is ended next. Raises as `close`."""
        await self._close([held for held in self._slots if held.started is not None])

    async def close(self) -> None:
        """Close what was opened, the last declared first. One that fails does not keep the others open.

        Raises ExceptionGroup of the failures, after all were tried. A second call does nothing.
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
    """It waits for an opening that is under way, so that nothing opens behind the close."""
    with slot.opening:
        value, was_open = slot.value, slot.is_open
        slot.value, slot.is_open = None, False
    return value, was_open
