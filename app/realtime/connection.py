"""One connection: what waits for its client, how fast the client may talk, and how the server ends it."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections import deque
from collections.abc import Coroutine
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from app.core.ids import new_id
from app.core.permissions import Principal
from app.core.serving.websocket import protocol_of
from app.realtime.closing import CloseCode, Closed
from app.realtime.messages import Message, encode
from app.realtime.settings import RealtimeSettings
from app.realtime.subscription import Subscription

BURST_SECONDS = 5


class Connection:
    """`put` never blocks, and sends at once if nothing waits.

    A client that lets more than REALTIME_QUEUE messages wait is cut off, and may resume. `principal` is None
    until the client has shown a token. `subscriptions` are by the name of the channel.
    """

    __slots__ = (
        "_allowance",
        "_counted_at",
        "_drained",
        "_finishing",
        "_limit",
        "_protocol",
        "_queue",
        "_rate",
        "_socket",
        "_tasks",
        "_wake",
        "_writer",
        "closed_with",
        "id",
        "name",
        "principal",
        "subscriptions",
        "warned",
    )

    def __init__(self, socket: WebSocket, limits: RealtimeSettings) -> None:
        self.id: uuid.UUID = new_id()
        self.principal: Principal | None = None
        self.name: str | None = None
        self.subscriptions: dict[str, Subscription] = {}
        self.closed_with: CloseCode | None = None
        self.warned = False
        self._socket = socket
        self._protocol = protocol_of(socket)
        self._limit = limits.realtime_queue
        self._rate = limits.realtime_messages_per_second
        self._allowance = float(self._rate * BURST_SECONDS)
        self._counted_at = asyncio.get_running_loop().time()
        self._queue: deque[str] = deque()
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._finishing: asyncio.Task[None] | None = None
        self._writer = asyncio.create_task(self._write())

    @property
    def user(self) -> Principal:
        """The verified principal. Raises Closed before the client has shown a token."""
        if self.principal is None:
            raise Closed(CloseCode.UNAUTHENTICATED)
        return self.principal

    @property
    def page(self) -> int:
        """How many events of a replay are read at once."""
        return self._limit // 4

    def put(self, text: str) -> None:
        if self.closed_with is not None or (not self._queue and self._protocol.send_at_once(text)):
            return
        if len(self._queue) >= self._limit:
            self.close(CloseCode.TOO_SLOW)
            return
        self._queue.append(text)
        self._wake.set()

    def tell(self, message: Message) -> None:
        self.put(encode(message))

    async def room(self) -> None:
        """Waits until the client has taken most of what waits for it."""
        while len(self._queue) > self.page and self.closed_with is None:
            self._drained.clear()
            await self._drained.wait()

    def count_message(self) -> None:
        """Raises Closed for a client that talks too much."""
        now = asyncio.get_running_loop().time()
        earned = (now - self._counted_at) * self._rate
        self._allowance = min(self._allowance + earned, self._rate * BURST_SECONDS) - 1
        self._counted_at = now
        if self._allowance < 0:
            raise Closed(CloseCode.TOO_MANY_MESSAGES)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` beside the reading of messages. It ends with the connection."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self, code: CloseCode) -> None:
        """Ends the connection. What waits is dropped. A client that does not read does not hold this up."""
        if self.closed_with is None:
            self.closed_with = code
            self._queue.clear()
            self._drained.set()
            self._finishing = asyncio.create_task(self._finish(code))

    async def end(self) -> None:
        """After the client has gone, or the server has ended the connection."""
        work = [self._writer, *self._tasks]
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        if self._finishing is not None:
            await self._finishing

    async def _write(self) -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await self._wake.wait()
                while self._queue:  # a message waits here until it was sent, so that no later one overtakes it
                    await self._socket.send_text(self._queue[0])
                    if self._queue:  # a close drops what waits
                        self._queue.popleft()
                self._wake.clear()
                self._drained.set()

    async def _finish(self, code: CloseCode) -> None:
        self._writer.cancel()
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # RuntimeError: it is closed already
            await self._socket.close(code)
