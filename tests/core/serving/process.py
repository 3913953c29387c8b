"""The web server in a process of its own, as production starts it, and bare connections to it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from app.core.config import Settings
from tests.core.identity.conftest import environment_of
from tests.core.waiting import expect_eventually
from tests.support.database import ROOT

PAGE = os.sysconf("SC_PAGE_SIZE")
PATIENCE = 60
"""Seconds in which a server that does not answer or does not hang up fails its test."""


@dataclass(eq=False)
class Line:
    """One connection. Its client sends whatever bytes it likes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *parts: bytes, pause: float = 0) -> None:
        """Sends the parts with pauses between them, until the server has had enough."""
        with contextlib.suppress(ConnectionError):
            for part in parts:
                self.writer.write(part)
                await self.writer.drain()
                await asyncio.sleep(pause)

    async def rest(self) -> bytes:
        """What comes until the server ends the connection."""
        received = b""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                while part := await self.reader.read(65536):
                    received += part
        return received

    async def answer(self) -> httpx.Response:
        """The next answer; its length is declared."""
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")[:-2]
        headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        body = await self.reader.readexactly(int(dict(headers).get("content-length", "0")))
        request = httpx.Request("GET", "http://test/")
        return httpx.Response(int(status.split()[1]), headers=headers, content=body, request=request)

    async def is_closed(self) -> bool:
        """True if nothing more comes. Waits for that."""
        return await self.rest() == b""

    def abort(self) -> None:
        """Resets the connection, as a client does that has crashed."""
        connection: socket.socket = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@dataclass
class Server:
    """A running web server and the connections that were made to it."""

    port: int
    process: subprocess.Popen[bytes]
    said: Path
    lines: list[Line] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def connect(self, receive_buffer: int | None = None) -> Line:
        connection = socket.socket()
        connection.setblocking(False)
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", self.port))
        except OSError:
            connection.close()
            raise
        line = Line(*await asyncio.open_connection(sock=connection))
        self.lines.append(line)
        return line

    async def get(self, path: str) -> httpx.Response:
        """By a new connection."""
        async with httpx.AsyncClient(base_url=self.url, timeout=60) as http:
            return await http.get(path)

    async def serves(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return (await self.get("/health/live")).status_code == 200
        return False

    def holds(self, line: Line) -> bool:
        """True if the process has this connection open. The system may still have bytes to send after that."""
        return line.writer.get_extra_info("sockname")[1] in self.clients()

    def clients(self) -> set[int]:
        """The ports of the clients whose connections the process has open."""
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        theirs = [(_port(row[2])) for row in rows if _port(row[1]) == self.port and row[9] != "0"]
        return {port for port in theirs if port}  # the listening socket has no other end

    def files(self) -> int:
        """How many files and connections the process has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def memory(self) -> int:
        """Bytes that the process holds."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE

    async def hang_up(self) -> None:
        """Ends every connection of the tests."""
        for line in self.lines:
            line.writer.transport.abort()
        self.lines.clear()


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


@contextlib.asynccontextmanager
async def serving(settings: Settings, said: Path, **limits: int) -> AsyncIterator[Server]:
    """The service with these limits, ready, without jobs."""
    environment = environment_of(settings) | {name.upper(): str(value) for name, value in limits.items()}
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening, said.open("wb") as out:
        port, descriptor = listening.getsockname()[1], listening.fileno()
        process = subprocess.Popen(  # noqa: ASYNC220  # returns at once; its end is awaited below
            [sys.executable, "-W", "always::ResourceWarning", "-m", "app.server", "--fd", str(descriptor)],
            cwd=ROOT,
            env=environment,
            pass_fds=[descriptor],
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    server = Server(port, process, said)
    try:
        await expect_eventually(server.serves, 60)
        yield server
        await server.hang_up()
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)
