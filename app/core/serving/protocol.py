"""uvicorn's HTTP protocol with the limits that it lacks: size and number of headers, time-outs, a bound of connections.

Refusals have the body of the error contract. A request that they hit has not reached the application, or its body never
reaches it whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from enum import Enum, auto
from operator import itemgetter
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from app.core.errors import AppError, HeadersTooLarge, MalformedRequest, RequestTimeout, ServiceUnavailable
from app.core.http import bare_refusal
from app.core.logging import get_logger
from app.core.serving.settings import ServingSettings
from app.core.serving.websocket import BoundedWebSocket

LINGER_SECONDS = 5.0
"""How long a client may take to read a last answer, or to end a body whose request is answered already."""
LINGER_BYTES = 1_048_576
"""Bytes that a refused client may have sent ahead. They are read and dropped, or the system would drop our answer."""
SETTLING_SECONDS = 1.0
"""A connection that has waited for less than this is not replaced by another one: its request may be on its way."""
MOST_PIPELINED = 16

_log = get_logger(__name__)


class BoundedConfig(uvicorn.Config):
    """uvicorn's configuration by the settings."""

    def __init__(self, app: Any, limits: ServingSettings, *, websockets: Collection[str] = (), **options: Any) -> None:
        """`websockets` are the paths at which a connection may become one."""
        super().__init__(
            app,
            http=BoundedProtocol,
            ws=BoundedWebSocket,
            ws_max_size=limits.websocket_message_bytes * 4,
            ws_ping_interval=limits.websocket_heartbeat_seconds,
            ws_ping_timeout=limits.websocket_heartbeat_seconds,
            ws_per_message_deflate=False,
            timeout_keep_alive=limits.keep_alive_seconds,
            timeout_graceful_shutdown=limits.shutdown_seconds,
            server_header=False,
            access_log=False,
            **options,
        )
        self.limits = limits
        self.websockets = frozenset(path.encode() for path in websockets)


class _Stage(Enum):
    """How much of the present message has been read."""

    NOTHING = auto()
    HEAD = auto()
    BODY = auto()
    ALL = auto()


class _Wait(Enum):
    """What a client has to finish before its deadline."""

    HEAD = auto()
    BODY = auto()
    REST = auto()  # of a body whose request is answered already


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A deadline runs only while a part of a request is missing, so most requests set none."""

    config: BoundedConfig

    def __init__(
        self,
        config: BoundedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = config.limits
        self._stage = _Stage.NOTHING
        self._messages = 0
        self._answers = 0
        self._headers = 0
        self._head_bytes = 0
        self._held_bytes = 0
        self._body_bytes = 0
        self._parsed = 0
        self._dropped: int | None = None
        self._idle_since = self._body_since = self.loop.time()
        self._active: RequestResponseCycle | None = None
        self._refusal: AppError | None = None
        self._awaited: tuple[_Wait, int] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        if len(self.connections) > self._limits.max_connections and not self._make_room():
            self._refuse(ServiceUnavailable("The server has no connection left; try again shortly."))
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._disconnect()
        self._stop_expecting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._dropped is not None:
            self._dropped += len(data)
            if self._dropped > LINGER_BYTES:
                self._cut()
            return
        before = self._parsed
        super().data_received(data)
        if self._dropped is not None or self.transport.is_closing():
            return
        if self.transport.get_protocol() is not self:
            self._stop_waiting()
            self._stop_expecting()
            return
        # While the parser completes nothing, it holds what has come. What it has completed is counted there.
        self._held_bytes = self._held_bytes + len(data) if self._parsed == before else 0
        if self._head_bytes + self._held_bytes > self._limits.max_header_bytes:
            self._refuse(HeadersTooLarge())
            return
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self._stop_expecting()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._expect_reading()

    # The parser's callbacks

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._stage = _Stage.HEAD
        self._messages += 1
        self._parsed += 1
        self._headers = self._head_bytes = self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Counts trailers, which follow a body, but drops them. uvicorn adds them to the headers, after the proxy's."""
        self._headers += 1
        self._count_head(len(name) + len(value) + 4)
        if self._stage is _Stage.HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= MOST_PIPELINED:
            self._fail(MalformedRequest("Too many requests were sent before the first answer."))
        self._stage = _Stage.BODY
        self._body_since = self.loop.time()
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._active = cycle
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        self._parsed += 1
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._parsed += 1
        self._stage = _Stage.ALL
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._answers += 1
        self._idle_since = self.loop.time()
        super().on_response_complete()
        if self.transport.is_closing():
            self._expect_reading()
        else:
            self._watch()

    def _should_upgrade_to_ws(self) -> bool:
        """True for GET at the path of a websocket."""
        return self.scope["method"] == "GET" and self.url.partition(b"?")[0] in self.config.websockets

    def _unsupported_upgrade_warning(self) -> None:
        """Says nothing. The answer to the request declines the other protocol (RFC 9110, 7.8)."""

    def _count_head(self, size: int) -> None:
        self._parsed += 1
        self._head_bytes += size
        if self._head_bytes > self._limits.max_header_bytes or self._headers > self._limits.max_headers:
            self._fail(HeadersTooLarge())

    def _fail(self, refusal: AppError) -> None:
        """Ends the parsing, which ends in `send_400_response`."""
        self._refusal = refusal
        raise ValueError(refusal.code)

    # Deadlines

    @property
    def _is_answering(self) -> bool:
        """True if a request is with the application."""
        return self._active is not None and not self._active.response_complete

    def _watch(self) -> None:
        """Sets the deadline of what is missing now. One that runs for the same thing is kept."""
        wait = self._missing()
        awaited = None if wait is None else (wait, self._messages)
        if awaited != self._awaited:
            self._stop_waiting()
            self._awaited = awaited
            if wait is not None:
                self._set_deadline(wait)
        if self._stage is _Stage.ALL and not self._is_answering and self.timeout_keep_alive_task is None:
            # uvicorn forgets its own after bytes that begin no request.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _missing(self) -> _Wait | None:
        match self._stage:
            case _Stage.ALL:
                return None
            case _Stage.BODY:
                return _Wait.BODY if self._is_answering else _Wait.REST
            case _:
                return _Wait.HEAD

    def _set_deadline(self, wait: _Wait) -> None:
        act: Callable[[], None]
        match wait:
            case _Wait.HEAD:
                seconds, act = float(self._limits.request_head_seconds), self._on_head_deadline
            case _Wait.BODY:
                seconds, act = float(self._limits.request_body_seconds), self._on_body_deadline
            case _:
                seconds, act = LINGER_SECONDS, self._cut
        self._deadline = self.loop.call_later(seconds, act)

    def _stop_waiting(self) -> None:
        self._awaited = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _on_head_deadline(self) -> None:
        if self._is_answering:  # the head of a request that was sent ahead
            self._set_deadline(_Wait.HEAD)
        elif self._stage is _Stage.NOTHING:
            self._cut()
        else:
            self._refuse(RequestTimeout())

    def _on_body_deadline(self) -> None:
        """The time in which we did not read is not the client's."""
        if self.flow.read_paused:
            self._body_since = self.loop.time()
        allowed = self._limits.request_body_seconds + self._body_bytes / self._limits.request_body_rate
        left = self._body_since + allowed - self.loop.time()
        if left > 0:
            self._deadline = self.loop.call_later(left, self._on_body_deadline)
        else:
            self._refuse(RequestTimeout())

    def _expect_reading(self) -> None:
        """Cuts a client that takes nothing of what is left for it. A closed connection stays until it has all."""
        if self._stall is None:
            left = self.transport.get_write_buffer_size()
            self._stall = self.loop.call_later(self._limits.response_stall_seconds, self._on_stall, left)

    def _on_stall(self, before: int) -> None:
        self._stall = None
        if self.transport.get_write_buffer_size() < before:
            self._expect_reading()
        else:
            self._cut()

    def _stop_expecting(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    # Refusals

    def _cut(self) -> None:
        self._disconnect()
        self.transport.abort()

    def _disconnect(self) -> None:
        """Lets the application go on without its client. uvicorn does so only for the request that was sent last."""
        self.resume_writing()
        if self._active is not None and not self._active.response_complete:
            self._active.disconnected = True
            self._active.message_event.set()

    def _make_room(self) -> bool:
        """Cuts a connection that waits for its client, if there is one."""
        now = self.loop.time()
        ranked = [
            (rank, connection)
            for connection in self.connections
            if isinstance(connection, BoundedProtocol) and connection is not self
            if (rank := connection._rank(now)) is not None
        ]
        if not ranked:
            return False
        min(ranked, key=itemgetter(0))[1]._cut()
        return True

    def _rank(self, now: float) -> tuple[int, float] | None:
        """The least gives way first; None if this connection does not.

        Those that never sent a request come first, then those that wait for another one, the longest waiting first; at
        last those that wait for the rest of a body, the slowest first.
        """
        latest = now - SETTLING_SECONDS
        if self.transport.is_closing():
            return None
        if not self._is_answering:
            return (min(self._answers, 1), self._idle_since) if self._idle_since <= latest else None
        if self._active is self.cycle and self._stage is _Stage.BODY and not self.flow.read_paused:
            return (2, self._body_bytes / (now - self._body_since)) if self._body_since <= latest else None
        return None

    def send_400_response(self, msg: str) -> None:
        """uvicorn's answer to what its parser does not take."""
        self._refuse(self._refusal or MalformedRequest())

    def _refuse(self, error: AppError) -> None:
        """Sends the error as the last answer of this connection.

        The connection is cut if an answer is under way, or if that of an earlier request is still to come.
        """
        self._stop_waiting()
        _log.info("connection refused", status=error.status, error_code=error.code)
        if self._active is not None and self._is_answering:
            of_another = self._active is not self.cycle or self._stage is not _Stage.BODY
            if of_another or self._active.response_started:
                self._cut()
                return
            self._disconnect()
        headers, body = bare_refusal(error)
        headers.append((b"connection", b"close"))
        lines = [STATUS_LINE[error.status], *(b"%b: %b\r\n" % header for header in headers), b"\r\n", body]
        self._dropped = 0
        self.transport.write(b"".join(lines))
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self._cut)
