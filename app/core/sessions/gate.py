"""Ended sessions and suspended agencies, kept in memory. Every request is checked here without a database query."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
import uuid
from collections.abc import Iterable

from app.core.clock import utcnow
from app.core.db.pool import ConnectionSource
from app.core.db.system import SystemUnitOfWork
from app.core.errors import TenantSuspended, Unauthenticated
from app.core.ids import TenantId
from app.core.logging import get_logger
from app.core.sessions.repository import (
    get_cross_tenant_for_admin_only_closed_tenants,
    get_cross_tenant_for_admin_only_ended_sessions,
)

POLL_SECONDS = 2.0
STALE_SECONDS = 4.0
LOAD_SECONDS = 3.0
CLOCK_TOLERANCE = dt.timedelta(seconds=60)

_log = get_logger(__name__)


class AccessGate:
    """The process that ended a session refuses it at once. Every other process refuses it within five seconds.

    A task polls every POLL_SECONDS. The data is at most STALE_SECONDS old when it is used. A request that finds it
    older (the process was busy, a poll failed, nothing was loaded yet) loads it first, once for all that wait. So while
    the database is away, requests answer 503 and trust no access that may be revoked. They could do nothing without
    the database anyway. Redis is not used here.
    """

    def __init__(self, system: ConnectionSource, *, token_seconds: int) -> None:
        self._system = system
        self._memory = dt.timedelta(seconds=token_seconds) + CLOCK_TOLERANCE
        self._ended: frozenset[uuid.UUID] = frozenset()
        self._closed: frozenset[uuid.UUID] = frozenset()
        self._marked: dict[uuid.UUID, float] = {}
        self._loaded_at = float("-inf")
        self._loading: asyncio.Task[None] | None = None

    async def admit(self, tenant_id: TenantId, session_id: uuid.UUID | None) -> None:
        """Raises Unauthenticated for a session that is over, TenantSuspended for a closed agency."""
        await self.keep_fresh()
        if session_id in self._ended or session_id in self._marked:
            raise Unauthenticated
        if tenant_id in self._closed:
            raise TenantSuspended

    async def keep_fresh(self) -> None:
        """Loads the data if it is too old to be used."""
        if time.monotonic() - self._loaded_at > STALE_SECONDS:
            await self.load()

    def mark(self, session_ids: Iterable[uuid.UUID]) -> None:
        """Refuses these from now on. This process has committed their end."""
        now = time.monotonic()
        self._marked.update((session_id, now) for session_id in session_ids)

    async def load(self) -> None:
        """Loads from the database. A caller that comes during a load waits for its answer."""
        if self._loading is None:
            self._loading = asyncio.create_task(self._load())
            self._loading.add_done_callback(self._loaded)
        await asyncio.shield(self._loading)

    def _loaded(self, task: asyncio.Task[None]) -> None:
        self._loading = None
        if not task.cancelled():
            task.exception()  # marks the error as retrieved, even if no caller waits any more

    async def _load(self) -> None:
        """The age of the data counts from the start of the query. A mark outlives the load that may have missed it."""
        asked_at = time.monotonic()
        async with asyncio.timeout(LOAD_SECONDS), SystemUnitOfWork(self._system) as uow:
            ended = await get_cross_tenant_for_admin_only_ended_sessions(uow, utcnow() - self._memory)
            closed = await get_cross_tenant_for_admin_only_closed_tenants(uow)
        forgotten = asked_at - self._memory.total_seconds()
        self._marked = {session_id: at for session_id, at in self._marked.items() if at > forgotten}
        self._ended, self._closed, self._loaded_at = ended, closed, asked_at

    async def run(self) -> None:
        """Polls until cancelled. A failed poll is logged and repeated at the next turn."""
        while True:
            try:
                await self.load()
            except Exception as error:
                _log.warning("ended sessions could not be read", exc_info=error)
            await asyncio.sleep(POLL_SECONDS)
