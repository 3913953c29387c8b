"""Threads for work that blocks or computes. Each purpose has a bounded pool, so a full pool does not stop the others.

The event loop's default executor is left to the standard library (name resolution).
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from app.core.errors import ServiceUnavailable

P = ParamSpec("P")
T = TypeVar("T")
CORES = len(os.sched_getaffinity(0))


class PoolFull(ServiceUnavailable):
    """As many wait as may wait. Retry-After says when there may be room again."""

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.headers = {"Retry-After": str(retry_after)}


class Pool:
    """At most `threads` tasks run at once and at most `waiting` tasks wait. A full queue takes `retry_after` seconds.

    A process has one pool of each purpose. Its threads start when they are needed and end with the runtime. A later
    runtime in the same process starts new ones.
    """

    def __init__(self, name: str, *, threads: int, waiting: int, retry_after: int = 2) -> None:
        self.name = name
        self.threads = threads
        self.waiting = waiting
        self._retry_after = retry_after
        self._inside = 0
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `work`, done by a thread in the caller's context. Raises PoolFull at once, or as `work` does.

        If the caller is cancelled, waiting work is not begun. Work that has begun is finished and keeps its place.
        """
        context = contextvars.copy_context()
        return await asyncio.wrap_future(self._submit(partial(context.run, work, *args, **kwargs)))

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        with self._lock:
            if self._inside >= self.threads + self.waiting:
                raise PoolFull(self._retry_after)
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self.threads, thread_name_prefix=self.name)
            future = self._executor.submit(work)
            self._inside += 1
        future.add_done_callback(self._left)
        return future

    def _left(self, _: Future[T]) -> None:
        with self._lock:
            self._inside -= 1

    def close(self) -> None:
        """Waits until all accepted work is done. Blocks."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown()


_HASHING = max(1, CORES - 1)
PASSWORDS = Pool("passwords", threads=_HASHING, waiting=24 * _HASHING, retry_after=6)
"""bcrypt, a quarter of a second of CPU each, and estimates of strength. One core is left to everybody else."""
FILES = Pool("files", threads=16, waiting=512)
"""The object store: disk or network."""
CONTENTS = Pool("contents", threads=2, waiting=32)
"""Inspection of what was uploaded: bytes that strangers chose."""
DOCUMENTS = Pool("documents", threads=2, waiting=128)
"""NEMSIS documents and 837P files, written and judged."""
REPORTS = Pool("reports", threads=2, waiting=32)
"""Typeset pages. Each report takes tens of megabytes."""
CODES = Pool("codes", threads=2, waiting=64)
"""Indexes of code sets and vocabularies."""
OUTSIDE = Pool("outside", threads=8, waiting=128)
"""Clients of outside systems that block: mail, keys, and their opening."""

POOLS = (PASSWORDS, FILES, CONTENTS, DOCUMENTS, REPORTS, CODES, OUTSIDE)


async def close_pools(pools: Iterable[Pool] = POOLS) -> None:
    """Ends the threads. A separate thread waits for them, so the event loop is not blocked."""
    for pool in pools:
        await asyncio.to_thread(pool.close)
