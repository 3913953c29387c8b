"""The load: clients that each keep one chart, on one keep-alive connection, and send the next autosave at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson


class Refused(Exception):
    """The service answered an autosave with something else than 200, so that there is nothing to measure."""


class Connection:
    """One HTTP/1.1 connection. It does as little as possible, because it shares the machine with what is measured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def request(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, bytes]:
        """The status and the body of the answer."""
        content = b"" if body is None else orjson.dumps(body)
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{authorization}Content-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n".encode()
            + content
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        _, _, rest = head.lower().partition(b"\r\ncontent-length:")
        answer = await self._reader.readexactly(int(rest.partition(b"\r\n")[0] or 0))
        return int(head[9:12]), answer

    def close(self) -> None:
        self._writer.close()


def autosave(version: int) -> dict[str, Any]:
    """What a tablet sends while the crew types: the version it saw, a plain column and one that holds PHI."""
    return {
        "version": version,
        "arrival_time": f"2026-03-01T10:{version // 60 % 60:02}:{version % 60:02}Z",
        "location_street": f"{version} Elm Street",
    }


@dataclass
class Client:
    """`path` of its own chart; nobody else writes it, so the version after each autosave is known."""

    connection: Connection
    token: str
    path: str
    version: int

    async def save(self) -> None:
        status, answer = await self.connection.request("PATCH", self.path, autosave(self.version), self.token)
        if status != 200:
            raise Refused(f"{self.path}: {status} {answer.decode()}")
        self.version += 1

    async def save_until(self, deadline: float) -> list[float]:
        """How many seconds each autosave took."""
        took = []
        started = time.perf_counter()
        while started < deadline:
            await self.save()
            ended = time.perf_counter()
            took.append(ended - started)
            started = ended
        return took


async def run_load(clients: Sequence[Client], seconds: float) -> list[float]:
    """Let all clients save at once. The result is the duration of every autosave in seconds, sorted."""
    deadline = time.perf_counter() + seconds
    took = await asyncio.gather(*(client.save_until(deadline) for client in clients))
    return sorted(duration for each in took for duration in each)
