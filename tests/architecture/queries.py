"""Counting the statements of a request: a list that asks once more per row is found by asking for more rows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from asyncpg.connection import LoggedQuery
from sqlalchemy import event

from app.core.db.pool import ConnectionSource, Lease


@contextlib.asynccontextmanager
async def counted(source: ConnectionSource) -> AsyncIterator[list[str]]:
    """The text of every statement sent on `source`'s connections meanwhile, those of sessions too."""
    statements: list[str] = []
    watched: list[Any] = []
    acquire = source.acquire

    def note(query: LoggedQuery) -> None:
        statements.append(query.query)

    async def acquire_watched() -> Lease:
        lease = await acquire()
        if lease.conn not in watched:
            lease.conn.add_query_logger(note)
            watched.append(lease.conn)
        return lease

    def note_of_session(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    event.listen(source.engine.sync_engine, "before_cursor_execute", note_of_session)  # asyncpg does not log these
    patched: Any = source
    patched.acquire = acquire_watched
    try:
        yield statements
    finally:
        await asyncio.sleep(0)  # asyncpg notes a statement in the loop's next turn
        del patched.acquire
        event.remove(source.engine.sync_engine, "before_cursor_execute", note_of_session)
        for connection in watched:
            connection.remove_query_logger(note)
