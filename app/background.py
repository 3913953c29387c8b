"""The work beside requests: the gate's polls, the outbox relay, its signal, and the jobs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from app.core.jobs.queue import JobRunner
from app.core.outbox.relay import OutboxRelay
from app.core.outbox.signal import OutboxSignal
from app.core.runtime import Runtime, redis_channel
from app.core.secrets.gateway import SECRET_KEYS
from app.core.storage.gateway import OBJECT_STORE
from app.registry import JOBS, SCHEDULES, SUBSCRIPTIONS


def outbox_signal(runtime: Runtime) -> OutboxSignal:
    return OutboxSignal(runtime.redis, redis_channel(runtime.settings, "outbox"))


@contextlib.asynccontextmanager
async def background(runtime: Runtime, *, run_jobs: bool, serves_requests: bool = True) -> AsyncIterator[None]:
    """Start the background tasks, and end them on exit. The signal runs even without the relay.

    The object store is opened here, beside the event loop, because requests use it on the loop. The keys of the
    secrets are opened here so that a bad key file stops the start. The first request that needs the gate waits for its
    first poll.
    """
    await runtime.gateways.reach(OBJECT_STORE)
    await runtime.gateways.reach(SECRET_KEYS)
    signal = outbox_signal(runtime)
    runtime.on_publish = signal.notify
    work = [signal.run(), runtime.feed.run()]
    if serves_requests:
        work.append(runtime.gate.run())
    if run_jobs:
        work += [OutboxRelay(runtime, SUBSCRIPTIONS, signal).run(), JobRunner(runtime, JOBS, SCHEDULES).run()]
    tasks = [asyncio.create_task(task) for task in work]
    try:
        yield
    finally:
        await _end(tasks)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel until all have ended, because redis-py loses a cancellation while it connects."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1)
    await asyncio.gather(*tasks, return_exceptions=True)
