"""Counts round trips on the wire between the service and PostgreSQL, whatever driver asks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from sqlalchemy.engine import make_url

_SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


class RoundTrips:
    """A proxy that counts round trips: `count` grows when a client sends again after it has had its answer."""

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
            await server.wait_closed()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(*self._upstream)
        answered = True

        async def forward() -> None:
            nonlocal answered
            while chunk := await reader.read(65536):
                if chunk == _SSL_REQUEST:  # refused, for the sake of the upstream connection, which is plain
                    writer.write(b"N")
                    continue
                self.count += answered
                answered = False
                upstream_writer.write(chunk)
            upstream_writer.close()

        async def answer() -> None:
            nonlocal answered
            while chunk := await upstream_reader.read(65536):
                answered = True
                writer.write(chunk)
            writer.close()

        try:
            await asyncio.gather(forward(), answer())
        except ConnectionError:
            return
        finally:
            writer.close()
            upstream_writer.close()
