"""Who may connect: the origin of a web page, how many connections there may be, and whose token it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from urllib.parse import urlsplit

import orjson
from pydantic import ValidationError
from starlette.websockets import WebSocket

from app.core.errors import TenantSuspended, Unauthenticated
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.realtime.closing import CloseCode, Closed
from app.realtime.connection import Connection
from app.realtime.messages import BEARER, SUBPROTOCOL, Hello
from app.realtime.settings import RealtimeSettings


class Admission:
    """Counts the connections of a process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._limits = runtime.settings.group(RealtimeSettings)
        self._strangers: dict[Connection, None] = {}
        self._known: set[Connection] = set()

    @property
    def connections(self) -> Iterable[Connection]:
        """Those that have shown a token."""
        return tuple(self._known)

    async def admit(self, connection: Connection, socket: WebSocket) -> None:
        """Makes the user of the token the connection's. Raises Closed."""
        self._require_room(connection)
        _require_handshake(socket, self._limits.origins)
        self._strangers[connection] = None
        try:
            token = _offered_token(socket) or await self._said_token(socket)
            connection.principal = await self.verify(token)
        finally:
            self._strangers.pop(connection, None)
        self._require_seat(connection.user)
        self._known.add(connection)

    def dismiss(self, connection: Connection) -> None:
        self._known.discard(connection)

    async def verify(self, token: str) -> Principal:
        """The user of an access token. Raises Closed."""
        try:
            principal = self._runtime.tokens.verify(token)
            await self._runtime.gate.admit(principal.tenant_id, principal.session_id)
        except Unauthenticated:
            raise Closed(CloseCode.UNAUTHENTICATED) from None
        except TenantSuspended:
            raise Closed(CloseCode.FORBIDDEN) from None
        return principal

    def _require_room(self, connection: Connection) -> None:
        """A stranger who comes while others still have shown no token ends the one who has waited longest."""
        if self._runtime.is_stopping:
            raise Closed(CloseCode.GOING_AWAY)
        if len(self._strangers) + len(self._known) >= self._limits.realtime_connections:
            raise Closed(CloseCode.TOO_MANY_CONNECTIONS)
        if len(self._strangers) >= self._limits.realtime_unauthenticated:
            next(iter(self._strangers)).close(CloseCode.TOO_MANY_CONNECTIONS)

    def _require_seat(self, user: Principal) -> None:
        of_tenant = [held.user for held in self._known if held.user.tenant_id == user.tenant_id]
        of_user = sum(held.user_id == user.user_id for held in of_tenant)
        if (
            len(of_tenant) >= self._limits.realtime_connections_per_tenant
            or of_user >= self._limits.realtime_connections_per_user
        ):
            raise Closed(CloseCode.TOO_MANY_CONNECTIONS)

    async def _said_token(self, socket: WebSocket) -> str:
        """The token of the first message."""
        try:
            async with asyncio.timeout(self._limits.realtime_hello_seconds):
                message = await socket.receive()
        except TimeoutError:
            raise Closed(CloseCode.TIMEOUT) from None
        if message["type"] == "websocket.disconnect":
            raise Closed(CloseCode.TIMEOUT)
        try:
            return Hello.model_validate(orjson.loads(message.get("text") or "")).token
        except (orjson.JSONDecodeError, ValidationError):
            raise Closed(CloseCode.BAD_MESSAGE) from None


def chosen_subprotocol(socket: WebSocket) -> str | None:
    return SUBPROTOCOL if SUBPROTOCOL in socket.scope["subprotocols"] else None


def _offered_token(socket: WebSocket) -> str | None:
    """A token that came as a subprotocol."""
    offered: list[str] = socket.scope["subprotocols"]
    return next((name.removeprefix(BEARER) for name in offered if name.startswith(BEARER)), None)


def _require_handshake(socket: WebSocket, origins: frozenset[str]) -> None:
    """Raises Closed for a query, which may hold a token that a log would keep, and for a foreign web page."""
    if socket.scope["query_string"]:
        raise Closed(CloseCode.BAD_MESSAGE)
    origin = socket.headers.get("origin")
    if origin is None or origin.lower() in origins:
        return
    if urlsplit(origin).netloc.lower() != socket.headers.get("host", "").lower():
        raise Closed(CloseCode.FORBIDDEN)
