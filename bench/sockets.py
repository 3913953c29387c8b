"""Websocket clients that do as little as possible, because they share the machine with what is measured."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

import orjson
from websockets.frames import Frame, Opcode

_HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class SocketRefused(Exception):
    """The server ended a connection, or answered something else than expected."""


class Socket(asyncio.Protocol):
    """Counts the text messages that come, and keeps the last one. Pings are answered."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._awaited = 0
        self._arrived: asyncio.Future[None] | None = None
        self.count = 0
        self.last = b""

    @classmethod
    async def connect(cls, port: int, path: str) -> Self:
        """Raises SocketRefused."""
        _, socket = await asyncio.get_running_loop().create_connection(lambda: cls(path), "127.0.0.1", port)
        await socket._opened
        return socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(_HANDSHAKE.format(path=self._path).encode())

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the server ended a connection")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._opened.done():
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head:
                self._fail(head.decode())
                return
            self._opened.set_result(None)
            self._buffer = rest
        self._read_frames()
        if self._arrived is not None and self.count >= self._awaited and not self._arrived.done():
            self._arrived.set_result(None)

    async def expect(self, count: int) -> None:
        """Returns when `count` messages have come since the beginning. Raises SocketRefused."""
        if self.count < count:
            self._awaited = count
            self._arrived = asyncio.get_running_loop().create_future()
            async with asyncio.timeout(60):
                await self._arrived

    def send(self, message: Any) -> None:
        self._write(Opcode.TEXT, orjson.dumps(message))

    def send_text(self, text: str) -> None:
        self._write(Opcode.TEXT, text.encode())

    def close(self) -> None:
        assert self._transport is not None
        self._arrived = None
        self._transport.abort()

    def _read_frames(self) -> None:
        """A frame of the server has two bytes, the length if it is more than 125, and its content."""
        buffer, place = self._buffer, 0
        while len(buffer) >= place + 4:
            size, start = buffer[place + 1], place + 2
            if size == 126:
                size, start = int.from_bytes(buffer[start : start + 2], "big"), start + 2
            if len(buffer) < start + size:
                break
            content = buffer[start : start + size]
            match buffer[place] & 15:
                case Opcode.TEXT:
                    self.count += 1
                    self.last = bytes(content)
                case Opcode.PING:
                    self._write(Opcode.PONG, bytes(content))
                case Opcode.CLOSE:
                    self._fail(f"closed with {int.from_bytes(content[:2], 'big')}")
            place = start + size
        del buffer[:place]

    def _write(self, opcode: Opcode, content: bytes) -> None:
        assert self._transport is not None
        self._transport.write(Frame(opcode, content).serialize(mask=True))

    def _fail(self, why: str) -> None:
        for awaited in (self._opened, self._arrived):
            if awaited is not None and not awaited.done():
                awaited.set_exception(SocketRefused(why))


async def open_sockets(count: int, connect: Callable[[], Awaitable[Socket]], at_once: int = 16) -> list[Socket]:
    """Opens them in groups, so that no limit of unfinished handshakes is met."""
    opened: list[Socket] = []
    while len(opened) < count:
        opened += await asyncio.gather(*(connect() for _ in range(min(at_once, count - len(opened)))))
    return opened


async def expect_all(sockets: Sequence[Socket], count: int) -> None:
    await asyncio.gather(*(socket.expect(count) for socket in sockets))
