"""uvicorn's websocket protocol with what it lacks: frames that are made once for many clients, and prompt closes."""

from __future__ import annotations

import asyncio
import logging
from functools import lru_cache
from typing import Any

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request

HEARTBEAT_MISSED = 4408
CLOSE_SECONDS = 10.0
_EXTENSION = "fusionems.protocol"

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

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            extensions: Any = self.scope["extensions"]
            extensions[_EXTENSION] = self  # the application's task has not begun

    def send_at_once(self, text: str) -> bool:
        """Sends a text message. False, and nothing was sent, if the client reads too slowly or the connection ends.

        A message costs a frame and a write, and no turn of the event loop. Only one caller may send texts.
        """
        if not self.writable.is_set() or self.close_sent or self.transport.is_closing():
            return False
        self.transport.write(_framed(text))
        return True

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


def protocol_of(socket: WebSocket) -> BoundedWebSocket:
    """The protocol of an accepted websocket."""
    protocol: BoundedWebSocket = socket.scope["extensions"][_EXTENSION]
    return protocol


@lru_cache(maxsize=16)
def _framed(text: str) -> bytes:
    """The frame of a text message. A server's frame is the same for every client, because it has no mask."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
