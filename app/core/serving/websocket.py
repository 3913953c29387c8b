"""uvicorn's websocket protocol with the limits that it lacks: a client that does not read cannot hold a close up."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

HEARTBEAT_MISSED = 4408
CLOSE_SECONDS = 10.0

_silent = logging.getLogger(__name__)  # lint: allow FQ504 (uvicorn wants the standard library's)
_silent.setLevel(logging.WARNING)


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """One websocket. uvicorn would log its whole address, query included; this one logs no address."""

    def __init__(
        self,
        config: Any,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger = _silent

    async def send(self, message: Any) -> None:
        """A close waits for no client. Its frame follows what was not read yet; later the connection is cut."""
        if message["type"] == "websocket.close":
            self.writable.set()
            self.loop.call_later(CLOSE_SECONDS, self._cut)
        await super().send(message)

    def keepalive_timeout(self) -> None:
        """Ends a connection whose client has answered no ping."""
        self.pong_timer = None
        self.pending_ping_payload = None
        if self.close_sent or self.transport.is_closing():
            return
        self.conn.fail(HEARTBEAT_MISSED)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
        self.loop.call_later(CLOSE_SECONDS, self._cut)

    def _cut(self) -> None:
        if not self.disconnected:
            self.transport.abort()
