"""A server of the protocol in the test's own hands: it loses, repeats, cuts and refuses what the test tells it to."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

CHANNEL = "incident:11111111-1111-7111-8111-111111111111:22222222-2222-7222-8222-222222222222"
CHART = "ems.chart.read"
CLAIMS = "billing.claims.read"


@dataclass
class FakeServer:
    """One channel. `retained` is the first event that can still be replayed."""

    heard: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    retained: int = 0
    refusals: list[int] = field(default_factory=list)
    """Close codes of the next connections, in the place of a welcome."""
    errors: list[str] = field(default_factory=list)
    """Codes with which the next subscriptions are refused."""
    unseen: str | None = None
    """The code with which presence is refused."""
    heartbeat: float = 60
    mute: bool = False
    """Whether pings stay without an answer."""
    live: set[ServerConnection] = field(default_factory=set)
    connections: int = 0
    server: Server | None = None

    @property
    def address(self) -> str:
        assert self.server is not None
        return f"http://127.0.0.1:{next(iter(self.server.sockets)).getsockname()[1]}"

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.heard if message["type"] == kind]

    def position(self, count: int) -> dict[str, int]:
        return dict(Counter(event["stream"] for event in self.events[:count]))

    def record(self, stream: str = CHART) -> dict[str, Any]:
        """A new event, which nobody is told of."""
        number = len(self.events)
        event = {
            "type": "event",
            "channel": CHANNEL,
            "id": f"event-{number}",
            "topic": "incident.updated",
            "schema_version": 1,
            "stream": stream,
            "sequence": self.position(number).get(stream, 0) + 1,
            "occurred_at": "2026-11-30T10:00:00Z",
            "entity_type": "incident",
            "entity_id": CHANNEL.rpartition(":")[2],
            "version": number + 2,
            "payload": {"changed": ["arrival_time"]},
        }
        self.events.append(event)
        return event

    async def tell(self, *messages: dict[str, Any]) -> None:
        """Send to whoever is subscribed."""
        for connection in self.live:
            for message in messages:
                await connection.send(orjson.dumps(message).decode())

    async def publish(self, stream: str = CHART) -> dict[str, Any]:
        event = self.record(stream)
        await self.tell(event)
        return event

    def cut(self) -> None:
        """End the connections as a crash does."""
        for connection in self.live:
            connection.transport.abort()

    async def close(self, code: int) -> None:
        for connection in list(self.live):
            await connection.close(code)

    async def converse(self, connection: ServerConnection) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionClosed):
            hello = orjson.loads(await connection.recv())
            self.heard.append(hello)
            if self.refusals:
                await connection.close(self.refusals.pop(0))
                return
            await self._answer(connection, type="welcome", heartbeat_seconds=self.heartbeat)
            async for message in connection:
                heard = orjson.loads(message)
                self.heard.append(heard)
                await self._on(connection, heard)
        self.live.discard(connection)

    async def _on(self, connection: ServerConnection, heard: dict[str, Any]) -> None:
        match heard["type"]:
            case "subscribe" | "resume" if self.errors:
                refusal = {
                    "code": self.errors.pop(0),
                    "message": "No.",
                    "about": heard["channel"],
                    "refused": heard["type"],
                }
                await self._answer(connection, type="error", **refusal)
            case "subscribe":
                await self._open(connection, "subscribed", len(self.events))
            case "resume":
                ids = [event["id"] for event in self.events]
                after = ids.index(heard["last_event_id"]) + 1
                if after < self.retained:
                    await self._open(connection, "resync", len(self.events), reason="retention")
                else:
                    await self._open(connection, "subscribed", after)
            case "presence" if self.unseen:
                refusal = {"code": self.unseen, "message": "No.", "about": heard["channel"], "refused": "presence"}
                await self._answer(connection, type="error", **refusal)
            case "ping" if not self.mute:
                await self._answer(connection, type="pong")

    async def _open(self, connection: ServerConnection, kind: str, after: int, **more: Any) -> None:
        last = self.events[after - 1]["id"] if after else None
        streams = self.position(after)
        await self._answer(connection, type=kind, channel=CHANNEL, streams=streams, last_event_id=last, **more)
        for event in self.events[after:]:
            await self._answer(connection, **event)
        self.live.add(connection)

    @staticmethod
    async def _answer(connection: ServerConnection, **message: Any) -> None:
        await connection.send(orjson.dumps(message).decode())


@contextlib.asynccontextmanager
async def fake_server() -> AsyncIterator[FakeServer]:
    fake = FakeServer()
    async with serve(fake.converse, "127.0.0.1", 0, subprotocols=None, close_timeout=1) as fake.server:
        yield fake
        await asyncio.sleep(0)
