"""Counts round trips where they happen: on the wire between the service and PostgreSQL, whatever driver asks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from sqlalchemy.engine import make_url

_SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
_READY_FOR_QUERY = b"Z"


class RoundTrips:
    """`count` of ReadyForQuery messages: PostgreSQL sends one at the end of each exchange that a client waits for."""

    def __init__(self, dsn: str) -> None:
        url = make_url(dsn)
        self._upstream = (url.host or "127.0.0.1", url.port or 5432)
        self.count = 0

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """A proxy before the server that `dsn` names; yields its port."""
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(*self._upstream)
        try:
            opening = await reader.readexactly(8)
            if opening == _SSL_REQUEST:  # refused: what is encrypted cannot be counted
                writer.write(b"N")
            else:
                upstream_writer.write(opening)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_copy(reader, upstream_writer))
                tasks.create_task(self._count(upstream_reader, writer))
        except* (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            upstream_writer.close()

    async def _count(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readexactly(5)
            body = await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
            self.count += head[:1] == _READY_FOR_QUERY
            writer.write(head + body)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
    raise ConnectionError("closed by the client")
