"""Reads in one unit of work, calls with no transaction open, records in a second unit of work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.core.db.uow import UnitOfWork, refuse_open_transaction
from app.core.errors import AppError

M = TypeVar("M")
R = TypeVar("R")
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Done(Generic[A]):
    """The result of `read` when no call is needed."""

    answer: A


async def call_outside(
    units: Callable[[], UnitOfWork],
    read: Callable[[UnitOfWork], Awaitable[M | Done[A]]],
    call: Callable[[M], Awaitable[R]],
    record: Callable[[UnitOfWork, M, R], Awaitable[A]],
    undo: Callable[[M, R], Awaitable[None]] | None = None,
) -> A:
    """The answer of `record`, or that of `read` if it is Done.

    The facts of `read` may have changed when `record` runs, so `record` checks them again. `undo` takes back what
    `call` did when `record` raises AppError (surely not committed). `undo` does not run after a lost connection (the
    outcome is unknown) or a crash, so what `call` leaves behind must be harmless.

    Raises AssertionError inside a unit of work of the same task, which would stay open during the call.
    """
    refuse_open_transaction()
    async with units() as uow:
        found = await read(uow)
    if isinstance(found, Done):
        return found.answer
    result = await call(found)
    try:
        async with units() as uow:
            return await record(uow, found, result)
    except AppError:
        if undo is not None:
            await undo(found, result)
        raise
