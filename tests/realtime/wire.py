"""A bare client of the websocket: it sends what a test says, and hears one message after the other."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from app.realtime.router import PATH

PATIENCE = 20
"""Seconds in which a server that says nothing fails its test."""


@dataclass
class Wire:
    """One connection. `passed` are the messages that were heard while another kind was awaited."""

    socket: ClientConnection
    passed: list[dict[str, Any]] = field(default_factory=list)
    connection_id: str = ""

    async def say(self, kind: str, **content: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **content}, default=str))

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next message of that kind."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message: dict[str, Any] = json.loads(await self.socket.recv())
                if message["type"] == kind:
                    return message
                self.passed.append(message)

    async def next(self) -> dict[str, Any]:
        """The next message, whatever it is."""
        async with asyncio.timeout(PATIENCE):
            message: dict[str, Any] = json.loads(await self.socket.recv())
            return message

    async def events(self, count: int) -> list[dict[str, Any]]:
        return [await self.hear("event") for _ in range(count)]

    async def quiet(self) -> list[dict[str, Any]]:
        """What was sent until now: the answer to a ping comes after everything else."""
        number = uuid.uuid4().int % 2**31
        await self.say("ping", n=number)
        heard = []
        while (message := await self.next()) != {"type": "pong", "n": number}:
            heard.append(message)
        return heard

    async def hello(self, token: str | None) -> dict[str, Any]:
        await self.say("hello", token=token)
        welcome = await self.hear("welcome")
        self.connection_id = welcome["connection_id"]
        return welcome

    async def subscribe(self, channel: str, last_event_id: str | None = None) -> dict[str, Any]:
        """The answer: `subscribed`, `resync` or `error`."""
        await self.say("subscribe", channel=channel, last_event_id=last_event_id)
        while True:
            message = await self.next()
            if message["type"] in ("subscribed", "resync", "error"):
                return message
            self.passed.append(message)

    async def close_code(self) -> int | None:
        """The code with which the server ends the connection. Waits for that."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    self.passed.append(json.loads(await self.socket.recv()))
        return self.socket.close_code


@contextlib.asynccontextmanager
async def dial(
    port: int, *, path: str = PATH, subprotocols: Sequence[str] = ("fusionems.v1",), **options: Any
) -> AsyncIterator[Wire]:
    """A connection that has not said hello."""
    address = f"ws://127.0.0.1:{port}{path}"
    offered = [Subprotocol(name) for name in subprotocols] or None
    options = {"compression": None, "ping_interval": None, "close_timeout": 1} | options
    async with connect(address, subprotocols=offered, **options) as socket:
        yield Wire(socket)


@contextlib.asynccontextmanager
async def join(port: int, token: str | None, **options: Any) -> AsyncIterator[Wire]:
    """A connection that was welcomed."""
    async with dial(port, **options) as wire:
        await wire.hello(token)
        yield wire
