"""A client of the websocket: one user's channels, over as many connections as it takes.

It reconnects with full jitter, renews its token, and goes on where it was: an event reaches the receiver once and in
the order of its stream. What cannot be replayed is told as a `Resync`; the receiver then reads again over REST.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from app.core.paths import API_PREFIX

SUBPROTOCOL = Subprotocol("fusionems.v1")
PATH = f"{API_PREFIX}/realtime/ws"
UNAUTHENTICATED = 4401
REFUSED_FOR_GOOD = frozenset({4400, 4403})
LOST = frozenset({"FORBIDDEN", "NOT_FOUND"})
OPENING = frozenset({"subscribe", "resume"})


@dataclass(frozen=True, slots=True)
class Event:
    """`sequence` counts without a gap within `channel` and `stream`, the permission that reads the entity."""

    channel: str
    id: str
    topic: str
    stream: str
    sequence: int
    entity_type: str
    entity_id: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Resync:
    """Events were missed that do not come again. What comes after this follows without a gap."""

    channel: str
    reason: str


@dataclass(frozen=True, slots=True)
class Presence:
    """Who is in the chart, as the server tells it."""

    channel: str
    people: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Health:
    """`degraded` is true while events may come late."""

    degraded: bool


@dataclass(frozen=True, slots=True)
class ChannelLost:
    """The server does not give a channel any more that it gave before."""

    channel: str
    code: str


@dataclass(frozen=True, slots=True)
class PresenceRefused:
    """The server does not show this user in the chart; `code` is one of docs/errors.md. The channel stays."""

    channel: str
    code: str


Told = Event | Resync | Presence | PresenceRefused | Health | ChannelLost
TokenSource = Callable[[], Awaitable[str]]
"""Gives an access token that is valid now. Raises OSError while none can be had: the client tries again."""


class ConnectionRefused(Exception):
    """The server does not take this client; `code` is the close code, or the HTTP status of the handshake."""

    def __init__(self, code: int) -> None:
        super().__init__(f"The server refused the connection: {code}.")
        self.code = code


class ChannelRefused(Exception):
    """The server does not give this channel; `code` is one of docs/errors.md."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Mark:
    """The last event of one stream. Without an id, none came since the channel was empty."""

    sequence: int
    event_id: str | None


@dataclass(slots=True)
class Place:
    """How far one channel was read."""

    marks: dict[str, Mark] = field(default_factory=dict)
    last_id: str | None = None
    begun: bool = False
    mending: Mark | None = None
    """The mark after which events are missing. What comes is dropped until the replay begins there."""
    mended: Mark | None = None

    @property
    def resume_from(self) -> str | None:
        return self.mending.event_id if self.mending else self.last_id

    def start(self, streams: Mapping[str, int], last_id: str | None) -> None:
        """Begin at the server's position, which replaces what was known."""
        self.marks = {stream: Mark(sequence, last_id) for stream, sequence in streams.items()}
        self.last_id = last_id
        self.begun = True
        self.mending = self.mended = None

    def go_on(self, streams: Mapping[str, int], last_id: str | None) -> bool:
        """Begin again at `streams`. False if events between the marks and `streams` were missed."""
        missed = any(sequence > self._mark(stream).sequence for stream, sequence in streams.items())
        if missed:
            self.start(streams, last_id)
        self.mending = None
        return not missed

    def _mark(self, stream: str) -> Mark:
        return self.marks.get(stream) or Mark(0, None)

    def is_known(self, event: Event) -> bool:
        """True if the event was taken before, or comes again in the replay that was asked for.

        A duplicate has the id and the sequence of the first.
        """
        return self.mending is not None or event.sequence <= self._mark(event.stream).sequence

    def gap_before(self, event: Event) -> Mark | None:
        """The mark of the stream if events are missing between it and `event`."""
        mark = self._mark(event.stream)
        return mark if event.sequence > mark.sequence + 1 else None

    def mend(self, gap: Mark) -> bool:
        """Ask for the events after `gap`. False if that was in vain before, or if there is no id to ask by."""
        if gap.event_id is None or gap == self.mended:
            return False
        self.mending = self.mended = gap
        return True

    def take(self, event: Event) -> None:
        self.marks[event.stream] = Mark(event.sequence, event.id)
        self.last_id = event.id


@dataclass(frozen=True)
class Pace:
    """Seconds: the longest wait after the first failure, which doubles, and the longest of all."""

    first: float = 0.5
    longest: float = 30.0

    def waits(self) -> Iterator[float]:
        """Full jitter: each wait is anything from nothing up to its longest."""
        for failures in itertools.count():
            yield random.uniform(0, min(self.longest, self.first * 2 ** min(failures, 16)))  # noqa: S311


class RealtimeClient:
    """`run` connects and gives what the server tells to `receive`. Each connection takes the next address.

    A receiver that is slow slows the connection down. The server may then cut it, and the client resumes.
    """

    def __init__(
        self, addresses: Sequence[str], token: TokenSource, receive: Callable[[Told], None], pace: Pace | None = None
    ) -> None:
        self._addresses = [websocket_url(address) for address in addresses]
        self._token = token
        self._receive = receive
        self._pace = pace or Pace()
        self._places: dict[str, Place] = {}
        self._answers: dict[str, asyncio.Future[None]] = {}
        self._attending: dict[str, dict[str, Any]] = {}
        self._connection: ClientConnection | None = None
        self._refusals = 0
        self._heard = 0.0

    async def subscribe(self, channel: str) -> None:
        """Returns when the channel is open. Raises ChannelRefused."""
        self._places[channel] = Place()
        answer = self._answers[channel] = asyncio.get_running_loop().create_future()
        await self._send(_subscription(channel, self._places[channel]))
        await answer

    async def attend(self, channel: str, section: str | None, field: str | None = None) -> None:
        """Show the others where this user is, until something else is said. Without a section the user leaves."""
        self._attending[channel] = {"type": "presence", "channel": channel, "section": section, "field": field}
        await self._send(self._attending[channel])

    def disconnect(self) -> None:
        """Drop the present connection without a word, as a tunnel does. `run` goes on with another one."""
        if self._connection is not None:
            self._connection.transport.abort()

    async def run(self) -> None:
        """Stay connected until cancelled. Raises ConnectionRefused when trying again would be in vain."""
        waits = self._pace.waits()
        for address in itertools.cycle(self._addresses):
            try:
                async with connect(address, subprotocols=[SUBPROTOCOL], compression=None, ping_interval=None) as socket:
                    if await self._converse(socket):
                        waits = self._pace.waits()
            except InvalidStatus as refused:
                if refused.response.status_code < 500 and refused.response.status_code != 429:
                    raise ConnectionRefused(refused.response.status_code) from refused
            except (OSError, TimeoutError, InvalidHandshake):
                pass
            await asyncio.sleep(next(waits))

    async def _converse(self, connection: ClientConnection) -> bool:
        """Returns when the connection has ended: True if the server had welcomed this client."""
        welcomed = False
        beat: asyncio.Task[None] | None = None
        try:
            await connection.send(_encode({"type": "hello", "token": await self._token()}))
            welcome = orjson.loads(await connection.recv())
            if welcome.get("type") == "welcome":
                welcomed = True
                self._refusals = 0
                self._connection = connection
                beat = asyncio.create_task(self._beat(connection, welcome["heartbeat_seconds"]))
                for channel, place in self._places.items():
                    await connection.send(_encode(_subscription(channel, place)))
                async for message in connection:
                    self._heard = asyncio.get_running_loop().time()
                    await self._hear(orjson.loads(message))
        except ConnectionClosed:
            pass
        finally:
            self._connection = None
            if beat is not None:
                beat.cancel()
        self._judge_end(connection.close_code)
        return welcomed

    def _judge_end(self, code: int | None) -> None:
        """A token that was refused may have expired on its way: the next one decides."""
        if code == UNAUTHENTICATED:
            self._refusals += 1
        if code is not None and (code in REFUSED_FOR_GOOD or self._refusals > 1):
            raise ConnectionRefused(code)

    async def _beat(self, connection: ClientConnection, seconds: float) -> None:
        """Show the server that this client lives, and end a connection on which the server does not."""
        loop = asyncio.get_running_loop()
        self._heard = loop.time()
        with contextlib.suppress(ConnectionClosed):
            while loop.time() - self._heard < 2 * seconds:
                await asyncio.sleep(seconds / 2)
                for message in ({"type": "ping"}, *self._attending.values()):
                    await connection.send(_encode(message))
        connection.transport.abort()

    async def _send(self, message: Mapping[str, Any]) -> None:
        """Send now, if there is a connection. Otherwise the next one begins with what is wished for."""
        if self._connection is not None:
            with contextlib.suppress(ConnectionClosed):
                await self._connection.send(_encode(message))

    async def _hear(self, message: Mapping[str, Any]) -> None:
        match message["type"]:
            case "event":
                await self._on_event(message)
            case "subscribed" if message["channel"] in self._places:
                self._on_subscribed(message)
                await self._send_presence(message["channel"])
            case "resync" if message["channel"] in self._places:
                self._places[message["channel"]].start(message["streams"], message.get("last_event_id"))
                self._settle(message["channel"])
                self._receive(Resync(message["channel"], message["reason"]))
            case "presence":
                self._receive(Presence(message["channel"], tuple(message["people"])))
            case "degraded" | "recovered":
                self._receive(Health(message["type"] == "degraded"))
            case "expiring":
                await self._send({"type": "renew", "token": await self._token()})
            case "error" if message.get("about") in self._places:
                if message.get("refused") in OPENING:
                    self._on_refusal(message)
                elif message.get("refused") == "presence":
                    self._on_unseen(message)

    async def _on_event(self, message: Mapping[str, Any]) -> None:
        place = self._places.get(message["channel"])
        if place is None:
            return
        event = Event(**{name: message[name] for name in Event.__slots__})
        if place.is_known(event):
            return
        gap = place.gap_before(event)
        if gap is not None:
            if place.mend(gap):
                await self._send(_subscription(event.channel, place))
                return
            self._receive(Resync(event.channel, "gap"))
        place.take(event)
        self._receive(event)

    def _on_subscribed(self, message: Mapping[str, Any]) -> None:
        channel, streams, last_id = message["channel"], message["streams"], message["last_event_id"]
        place = self._places[channel]
        if not place.begun:
            place.start(streams, last_id)
        elif not place.go_on(streams, last_id):
            self._receive(Resync(channel, "gap"))
        self._settle(channel)

    async def _send_presence(self, channel: str) -> None:
        if channel in self._attending:
            await self._send(self._attending[channel])

    def _on_refusal(self, message: Mapping[str, Any]) -> None:
        channel, code = message["about"], message["code"]
        if channel in self._answers:
            del self._places[channel]
            self._answers.pop(channel).set_exception(ChannelRefused(code, message["message"]))
        elif code in LOST:
            del self._places[channel]
            self._receive(ChannelLost(channel, code))
        else:
            self.disconnect()  # the next connection asks for the channel again

    def _on_unseen(self, message: Mapping[str, Any]) -> None:
        """A place that was refused is not shown again. The channel stays open."""
        channel = message["about"]
        if self._attending.pop(channel, None) is not None:
            self._receive(PresenceRefused(channel, message["code"]))

    def _settle(self, channel: str) -> None:
        """Let `subscribe` return."""
        answer = self._answers.pop(channel, None)
        if answer is not None and not answer.done():
            answer.set_result(None)


def websocket_url(address: str) -> str:
    """The websocket of the service at `address`, an http or https URL."""
    return f"ws{address.removeprefix('http').rstrip('/')}{PATH}"


def incident_channel(tenant_id: str, incident_id: str) -> str:
    return f"incident:{tenant_id}:{incident_id}"


def _subscription(channel: str, place: Place) -> dict[str, Any]:
    if place.resume_from is None:
        return {"type": "subscribe", "channel": channel}
    return {"type": "resume", "channel": channel, "last_event_id": place.resume_from}


def _encode(message: Mapping[str, Any]) -> str:
    return orjson.dumps(message).decode()
