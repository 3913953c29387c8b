"""Connections. SQLAlchemy's engine owns the pool; the unit of work owns BEGIN, COMMIT and ROLLBACK."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

import asyncpg
import orjson
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util.concurrency import greenlet_spawn

from app.core.db.guard import refuse_unaudited_clause, refuse_unaudited_text
from app.core.db.sql import dump_json
from app.core.errors import ServiceUnavailable
from app.core.logging import get_logger

_log = get_logger(__name__)


def create_engine(dsn: str, *, pool_size: int, application_name: str, statement_seconds: float = 75) -> AsyncEngine:
    """An engine that never begins or ends anything itself (AUTOCOMMIT, no reset on return).

    `dsn` is any postgresql:// URL. A checkout waits 2 s at most. asyncpg gives up on a statement after
    `statement_seconds`. This is more than the role's statement_timeout, so a live server cancels the statement first
    and the connection survives.
    """
    return create_async_engine(
        make_url(dsn).set(drivername="postgresql+asyncpg"),
        isolation_level="AUTOCOMMIT",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=2,
        pool_pre_ping=False,
        pool_recycle=-1,
        pool_reset_on_return=None,
        pool_use_lifo=True,
        json_serializer=dump_json,
        json_deserializer=orjson.loads,
        connect_args={
            "statement_cache_size": 200,
            "max_cached_statement_lifetime": 0,
            "command_timeout": statement_seconds,
            "timeout": 5,
            "async_creator_fn": _Connecting,
            "server_settings": {"application_name": application_name, "timezone": "UTC"},
        },
    )


class _Connecting:
    """An asyncpg.connect() that begins when it is awaited. A checkout that cannot await (_checkout) never begins it."""

    __slots__ = ("_options",)

    def __init__(self, **options: Any) -> None:
        self._options = options

    def __await__(self) -> Generator[Any, None, Any]:
        return asyncpg.connect(**self._options).__await__()


class Lease:
    """One checked-out connection: `conn` is asyncpg's own, `fairy` SQLAlchemy's handle of it."""

    __slots__ = ("conn", "fairy")

    def __init__(self, conn: Any, fairy: Any) -> None:
        self.conn = conn
        self.fairy = fairy


class ConnectionSource:
    """The engine's pool without a greenlet switch where a connection is free (8 µs instead of 40).

    This is safe with create_engine's settings. Then close() never awaits, nor does connect() with a free connection.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._pool: Any = engine.sync_engine.pool
        self._connecting: set[asyncio.Task[Any]] = set()
        self._disposed = False
        # OSError: refused, not resolved, too slow. The others are errors of the server, bare or wrapped by SQLAlchemy.
        self._refusals = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, engine.dialect.loaded_dbapi.Error)
        event.listen(engine.sync_engine, "before_execute", refuse_unaudited_clause)
        event.listen(engine.sync_engine, "before_cursor_execute", refuse_unaudited_text)

    async def acquire(self) -> Lease:
        """An open connection outside any transaction.

        Raises ServiceUnavailable if the server is away, full, starting or stopping, or refuses the connection.
        """
        while True:
            fairy = await self._checkout()
            conn = fairy.driver_connection
            if not conn.is_closed() and not conn.is_in_transaction():
                return Lease(conn, fairy)
            await greenlet_spawn(fairy.invalidate)
            await greenlet_spawn(fairy.close)

    async def _checkout(self) -> Any:
        pool = self._pool
        if pool.checkedin():
            try:
                return pool.connect()
            except MissingGreenlet:  # the slot was invalidated and must reconnect, which awaits
                pass
        connecting = asyncio.create_task(greenlet_spawn(pool.connect))
        self._connecting.add(connecting)
        connecting.add_done_callback(self._connecting.discard)
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:  # cancelled half-way, it would leave its socket open
            connecting.add_done_callback(_give_back)
            raise
        except self._refusals as error:
            _log.warning("database connection refused", exc_info=error)
            raise ServiceUnavailable("The database is away.") from error

    async def release(self, lease: Lease) -> None:
        """Gives the connection back. After `dispose` it is closed instead: nobody would close it later."""
        if self._disposed:
            await self.discard(lease)
        else:
            lease.fairy.close()

    async def discard(self, lease: Lease) -> None:
        """Closes the connection. Its slot reconnects at the next checkout."""
        lease.conn.terminate()
        await greenlet_spawn(lease.fairy.invalidate)
        await greenlet_spawn(lease.fairy.close)

    def checked_out(self) -> int:
        """Connections in use now."""
        count: int = self._pool.checkedout()
        return count

    @property
    def size(self) -> int:
        size: int = self._pool.size()
        return size

    async def dispose(self) -> None:
        """Closes the pool. First waits for the connections of cancelled checkouts, so that they are closed too."""
        self._disposed = True
        if self._connecting:
            await asyncio.wait(set(self._connecting))
        await self.engine.dispose()


def _give_back(connecting: asyncio.Task[Any]) -> None:
    """Returns the connection of a cancelled checkout to the pool."""
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().close()
