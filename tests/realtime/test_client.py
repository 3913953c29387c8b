"""The client of the websocket: what its receiver is told is each stream in order, once, whatever happens to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from scripts.realtime_client import (
    ChannelLost,
    ChannelRefused,
    ConnectionRefused,
    Event,
    Health,
    Pace,
    Presence,
    PresenceRefused,
    RealtimeClient,
    Resync,
    Told,
    incident_channel,
    websocket_url,
)
from tests.core.waiting import expect_eventually
from tests.realtime.fake_server import CHANNEL, CHART, CLAIMS, FakeServer, fake_server

AT_ONCE = Pace(first=0.001, longest=0.01)


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as server:
        yield server


class Reader:
    """A client and what it was told."""

    def __init__(self, server: FakeServer) -> None:
        self.told: list[Told] = []
        self.tokens = 0
        self.client = RealtimeClient([server.address], self.token, self.told.append, AT_ONCE)
        self.running: asyncio.Task[None] | None = None

    async def token(self) -> str:
        self.tokens += 1
        return f"token-{self.tokens}"

    @property
    def ids(self) -> list[str]:
        return [told.id for told in self.told if isinstance(told, Event)]

    async def has(self, count: int) -> None:
        """Returns when `count` things were told."""
        await expect_eventually(lambda: len(self.told) >= count)


Read = Callable[[], Awaitable[Reader]]


@pytest.fixture
async def read(server: FakeServer) -> AsyncIterator[Read]:
    """Starts a reader of the channel."""
    readers: list[Reader] = []

    async def start() -> Reader:
        reader = Reader(server)
        readers.append(reader)
        reader.running = asyncio.create_task(reader.client.run())
        await reader.client.subscribe(CHANNEL)
        return reader

    yield start
    for reader in readers:
        assert reader.running is not None
        reader.running.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionRefused):
            await reader.running


async def test_events_are_told_as_they_come(server: FakeServer, read: Read) -> None:
    server.record()
    reader = await read()
    sent = await server.publish(CLAIMS)
    await reader.has(1)
    assert reader.told == [Event(**{name: sent[name] for name in Event.__slots__})]
    assert server.heard[0] == {"type": "hello", "token": "token-1"}


async def test_after_a_cut_the_missed_events_come_in_order(server: FakeServer, read: Read) -> None:
    reader = await read()
    first = await server.publish()
    await reader.has(1)
    server.cut()
    server.record(CLAIMS)
    server.record()
    await reader.has(3)
    await server.publish()
    await reader.has(4)
    assert reader.ids == [event["id"] for event in server.events]
    assert server.of_type("resume")[-1]["last_event_id"] == first["id"]
    assert reader.tokens == server.connections >= 2


async def test_the_place_is_known_before_the_first_event(server: FakeServer, read: Read) -> None:
    before = server.record()
    reader = await read()
    server.cut()
    missed = server.record()
    await reader.has(1)
    assert reader.ids == [missed["id"]]
    assert server.of_type("resume")[-1]["last_event_id"] == before["id"]


async def test_events_missed_on_a_channel_that_was_empty_are_a_resync(server: FakeServer, read: Read) -> None:
    """There is no event to resume after, so they cannot be asked for."""
    reader = await read()
    server.cut()
    server.record()
    await reader.has(1)
    await server.publish()
    await reader.has(2)
    assert reader.told[0] == Resync(CHANNEL, "gap")
    assert reader.ids == ["event-1"]


async def test_duplicates_are_told_once(server: FakeServer, read: Read) -> None:
    reader = await read()
    first = await server.publish()
    second = await server.publish()
    await server.tell(first, second, second)
    await server.publish(CLAIMS)
    await reader.has(3)
    assert reader.ids == [event["id"] for event in server.events]


async def test_a_gap_is_mended_from_the_last_event_of_its_stream(server: FakeServer, read: Read) -> None:
    """A later event of another stream was told before the gap showed."""
    reader = await read()
    charted = await server.publish(CHART)
    server.record(CHART)
    await server.publish(CLAIMS)
    await reader.has(2)
    await server.tell(server.record(CHART), server.record(CLAIMS), server.record(CHART))
    await reader.has(6)
    assert server.of_type("resume") == [{"type": "resume", "channel": CHANNEL, "last_event_id": charted["id"]}]
    by_stream = {
        stream: [told.sequence for told in reader.told if isinstance(told, Event) and told.stream == stream]
        for stream in (CHART, CLAIMS)
    }
    assert by_stream == {CHART: [1, 2, 3, 4], CLAIMS: [1, 2]}
    assert server.connections == 1


async def test_a_gap_that_stays_is_a_resync(server: FakeServer, read: Read) -> None:
    """The server counted an event that it does not have. The client does not ask for ever."""
    reader = await read()
    await server.publish()
    lost = server.record()
    after = server.record()
    server.events.remove(lost)
    await server.tell(after)
    await reader.has(3)
    assert reader.told[1] == Resync(CHANNEL, "gap")
    assert reader.ids == ["event-0", "event-2"]
    assert len(server.of_type("resume")) == 1


async def test_what_is_not_kept_any_more_is_a_resync(server: FakeServer, read: Read) -> None:
    reader = await read()
    await server.publish()
    await reader.has(1)
    server.cut()
    server.record()
    server.record()
    server.retained = 2
    await reader.has(2)
    await server.publish()
    await reader.has(3)
    assert reader.told[1] == Resync(CHANNEL, "retention")
    assert reader.ids == ["event-0", "event-3"]


async def test_the_token_is_renewed_within_the_connection(server: FakeServer, read: Read) -> None:
    await read()
    await server.tell({"type": "expiring", "expires_at": "2026-11-30T10:01:00Z"})
    await expect_eventually(lambda: server.of_type("renew") == [{"type": "renew", "token": "token-2"}])
    assert server.connections == 1


async def test_a_token_that_expired_on_its_way_is_replaced(server: FakeServer, read: Read) -> None:
    server.refusals = [4401]
    reader = await read()
    await server.publish()
    await reader.has(1)
    assert [message["token"] for message in server.of_type("hello")] == ["token-1", "token-2"]


@pytest.mark.parametrize(("codes", "attempts"), [([4401, 4401], 2), ([4400], 1), ([4403], 1)])
async def test_a_client_that_is_not_taken_ends(server: FakeServer, codes: list[int], attempts: int) -> None:
    server.refusals = codes.copy()
    reader = Reader(server)
    with pytest.raises(ConnectionRefused) as refused:
        await reader.client.run()
    assert refused.value.code == codes[-1]
    assert server.connections == attempts
    assert reader.told == []


@pytest.mark.parametrize("code", [1001, 1012, 4408, 4409, 4429, 4430])
async def test_other_ends_are_followed_by_another_connection(server: FakeServer, read: Read, code: int) -> None:
    reader = await read()
    await server.publish()
    await reader.has(1)
    await server.close(code)
    server.record()
    await reader.has(2)
    assert reader.ids == ["event-0", "event-1"]


async def test_a_server_that_is_away_is_waited_for(server: FakeServer) -> None:
    """The next address is taken meanwhile."""
    reader = Reader(server)
    reader.client = RealtimeClient(["http://127.0.0.1:1", server.address], reader.token, reader.told.append, AT_ONCE)
    running = asyncio.create_task(reader.client.run())
    await reader.client.subscribe(CHANNEL)
    await server.publish()
    await reader.has(1)
    assert reader.ids == ["event-0"]
    running.cancel()


async def test_a_silent_server_is_left(server: FakeServer, read: Read) -> None:
    server.heartbeat, server.mute = 0.05, True
    reader = await read()
    await server.publish()
    await reader.has(1)
    server.record()
    await reader.has(2)
    assert server.connections > 1


async def test_presence_is_shown_again_until_it_is_left(server: FakeServer, read: Read) -> None:
    server.heartbeat = 0.05
    reader = await read()
    await reader.client.attend(CHANNEL, "vitals", "systolic_bp")
    shown = {"type": "presence", "channel": CHANNEL, "section": "vitals", "field": "systolic_bp"}
    await expect_eventually(lambda: len(server.of_type("presence")) > 2)
    assert all(message == shown for message in server.of_type("presence"))
    server.cut()
    server.heartbeat = 60
    before = len(server.of_type("presence"))
    await expect_eventually(lambda: len(server.of_type("presence")) > before)
    person = {"user_id": "u", "connection_id": "c", "section": "vitals", "field": None}
    await server.tell({"type": "presence", "channel": CHANNEL, "people": [person]})
    await reader.has(1)
    assert reader.told == [Presence(CHANNEL, (person,))]


@pytest.mark.parametrize("code", ["FORBIDDEN", "VALIDATION_FAILED", "NOT_FOUND"])
async def test_presence_that_is_refused_is_told_and_takes_nothing_else_away(
    server: FakeServer, read: Read, code: str
) -> None:
    server.unseen = code
    reader = await read()
    await reader.client.attend(CHANNEL, "vitals")
    await reader.has(1)
    assert reader.told == [PresenceRefused(CHANNEL, code)]
    event = await server.publish()
    await reader.has(2)
    assert reader.ids == [event["id"]]
    assert (server.connections, len(server.of_type("presence"))) == (1, 1)


async def test_health_is_told(server: FakeServer, read: Read) -> None:
    reader = await read()
    await server.tell({"type": "degraded"}, {"type": "recovered"})
    await reader.has(2)
    assert reader.told == [Health(degraded=True), Health(degraded=False)]


async def test_a_refused_channel_is_an_error_and_is_not_asked_for_again(server: FakeServer, read: Read) -> None:
    server.errors = ["NOT_FOUND"]
    with pytest.raises(ChannelRefused) as refused:
        await read()
    assert refused.value.code == "NOT_FOUND"
    assert [message["type"] for message in server.heard] == ["hello", "subscribe"]


async def test_a_channel_that_is_taken_away_is_told(server: FakeServer, read: Read) -> None:
    reader = await read()
    await server.tell({"type": "error", "code": "FORBIDDEN", "message": "No.", "about": CHANNEL, "refused": "resume"})
    await reader.has(1)
    await server.publish()
    await server.tell({"type": "degraded"})
    await reader.has(2)
    assert reader.told == [ChannelLost(CHANNEL, "FORBIDDEN"), Health(degraded=True)]


async def test_a_channel_that_cannot_be_had_now_is_asked_for_again(server: FakeServer, read: Read) -> None:
    reader = await read()
    await server.publish()
    await reader.has(1)
    server.errors = ["SERVICE_UNAVAILABLE"]
    server.cut()
    server.record()
    await reader.has(2)
    assert reader.ids == ["event-0", "event-1"]
    assert server.connections == 3


def test_waits_grow_and_are_full_jitter() -> None:
    waits = [next(pace) for pace in [Pace(first=1, longest=8).waits() for _ in range(200)]]
    assert 0 <= min(waits) < 0.2 and 0.8 < max(waits) <= 1
    late = []
    for _ in range(200):
        pace = Pace(first=1, longest=8).waits()
        late.append([next(pace) for _ in range(50)][-1])
    assert 0 <= min(late) < 2 and 6 < max(late) <= 8


def test_addresses_and_names() -> None:
    assert websocket_url("https://api.example/") == "wss://api.example/api/v1/realtime/ws"
    assert websocket_url("http://127.0.0.1:8000") == "ws://127.0.0.1:8000/api/v1/realtime/ws"
    assert incident_channel("t", "i") == "incident:t:i"
