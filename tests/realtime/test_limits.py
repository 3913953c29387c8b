"""What one client, one user or one agency may take, and how a connection ends that takes more."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from websockets.exceptions import ConnectionClosed

from app.core.config import Settings
from app.core.outbox.relay import OutboxRelay
from app.core.runtime import Runtime
from app.realtime.closing import CloseCode
from app.realtime.service import Realtime
from tests.core.serving.process import serving
from tests.core.waiting import expect_eventually
from tests.realtime.calls import a_published_call, channel_of, revise, worklist_of
from tests.realtime.conftest import serving_here
from tests.realtime.wire import PATIENCE, dial, join
from tests.support.actors import Agency

Limit = Callable[..., None]


async def test_client_that_does_not_read_is_cut_off_and_resumes(
    port: int, agency: Agency, relay: OutboxRelay, limited: Limit, realtime: Realtime
) -> None:
    limited(realtime_queue=16)
    call = await a_published_call(agency, relay)
    channel = channel_of(agency, call)
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    narrow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", port))
    async with (
        join(port, agency.partner.token, sock=narrow, max_queue=1) as slow,
        join(port, agency.medic.token) as swift,
    ):
        start = (await slow.subscribe(channel))["last_event_id"]
        await swift.subscribe(channel)
        [connection] = [held for held in realtime.admission.connections if held.id == uuid.UUID(slow.connection_id)]
        heard = []
        while connection.closed_with is None:
            await revise(agency.medic, call, 10)
            await relay.drain()
            heard += await swift.events(10)
            connection.put("x" * 60_000)  # what its queue and the buffers of both systems take
        assert connection.closed_with is CloseCode.TOO_SLOW
        assert await swift.quiet() == [], "the others are served as ever"
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(PATIENCE):
                while True:
                    await slow.socket.recv()
        assert slow.socket.close_code == 4430
    async with join(port, agency.partner.token) as again:
        await again.say("resume", channel=channel, last_event_id=start)
        assert await again.events(len(heard)) == heard


async def test_message_that_is_too_large_ends_the_connection(port: int, agency: Agency) -> None:
    for size, code in ((4097, 4413), (16_385, 1009)):
        async with join(port, agency.medic.token) as wire:
            await wire.socket.send(" " * size)
            assert await wire.close_code() == code
    async with join(port, agency.medic.token) as wire:
        await wire.socket.send('{"type":"ping"}'.ljust(4096))
        await wire.hear("pong")


async def test_client_that_talks_too_much_is_ended(port: int, agency: Agency) -> None:
    async with join(port, agency.medic.token) as wire:
        for number in range(50):
            await wire.say("ping", n=number)
            assert (await wire.hear("pong"))["n"] == number
        with contextlib.suppress(ConnectionClosed):
            for _ in range(200):
                await wire.say("ping")
        assert await wire.close_code() == 4429


@pytest.mark.parametrize("text", [b"\x00", "{", "[]", '"subscribe"', "{}{}", "\x00"])
async def test_what_is_no_object_ends_the_connection(text: str | bytes, port: int, agency: Agency) -> None:
    async with join(port, agency.medic.token) as wire:
        await wire.socket.send(text)
        assert await wire.close_code() == 4400


@pytest.mark.parametrize(
    ("message", "code", "about"),
    [
        ({"type": "shout"}, "VALIDATION_FAILED", None),
        ({}, "VALIDATION_FAILED", None),
        ({"type": ["ping"]}, "VALIDATION_FAILED", None),
        ({"type": "ping", "n": "many"}, "VALIDATION_FAILED", "ping"),
        ({"type": "ping", "n": -1}, "VALIDATION_FAILED", "ping"),
        ({"type": "ping", "more": 1}, "VALIDATION_FAILED", "ping"),
        ({"type": "subscribe"}, "VALIDATION_FAILED", "subscribe"),
        ({"type": "subscribe", "channel": 7}, "VALIDATION_FAILED", "subscribe"),
        ({"type": "subscribe", "channel": "x" * 201}, "VALIDATION_FAILED", "subscribe"),
        ({"type": "resume", "channel": "x"}, "VALIDATION_FAILED", "resume"),
        ({"type": "resume", "channel": "x", "last_event_id": "CANARY"}, "VALIDATION_FAILED", "resume"),
        ({"type": "unsubscribe", "channel": "CANARY"}, "NOT_FOUND", "unsubscribe"),
        ({"type": "presence", "channel": "CANARY", "section": "x"}, "NOT_FOUND", "presence"),
        ({"type": "hello", "token": "CANARY"}, "VALIDATION_FAILED", "hello"),
    ],
    ids=str,
)
async def test_message_that_is_wrong_is_refused_and_the_connection_stays(
    message: dict[str, object], code: str, about: str | None, port: int, agency: Agency
) -> None:
    async with join(port, agency.medic.token) as wire:
        kind = message.pop("type", None)
        await (wire.say(kind, **message) if isinstance(kind, str) else wire.socket.send('{"type":["ping"]}'))
        answer = await wire.hear("error")
        assert (answer["code"], answer.get("about")) == (code, about)
        assert "CANARY" not in str(answer)
        assert await wire.quiet() == []


async def test_channels_of_one_connection_are_counted(port: int, agency: Agency, limited: Limit) -> None:
    limited(realtime_subscriptions=1)
    async with join(port, agency.admin.token) as wire:
        assert (await wire.subscribe(worklist_of(agency, "incidents")))["type"] == "subscribed"
        assert (await wire.subscribe(worklist_of(agency, "incidents")))["type"] == "subscribed", "the same one again"
        assert (await wire.subscribe(worklist_of(agency, "claims")))["code"] == "LIMIT_REACHED"
        await wire.say("unsubscribe", channel=worklist_of(agency, "incidents"))
        assert (await wire.subscribe(worklist_of(agency, "claims")))["type"] == "subscribed"


@pytest.mark.parametrize("limit", ["realtime_connections_per_user", "realtime_connections_per_tenant"])
async def test_connections_of_a_user_and_of_an_agency_are_counted(
    limit: str, port: int, agency: Agency, found: Callable[[], Awaitable[Agency]], limited: Limit
) -> None:
    other = await found()
    limited(**{limit: 2})
    async with join(port, agency.medic.token), join(port, agency.medic.token) as second:
        async with dial(port) as third:
            await third.say("hello", token=agency.medic.token)
            assert await third.close_code() == 4409
        async with join(port, other.medic.token):
            assert await second.quiet() == []
        if limit == "realtime_connections_per_tenant":
            async with dial(port) as colleague:
                await colleague.say("hello", token=agency.admin.token)
                assert await colleague.close_code() == 4409
    async with join(port, agency.medic.token):
        pass


async def test_process_takes_so_many_connections(port: int, agency: Agency, realtime: Realtime, limited: Limit) -> None:
    await expect_eventually(lambda: not realtime.admission.connections)
    limited(realtime_connections=1)
    async with join(port, agency.medic.token), dial(port) as second:
        assert await second.close_code() == 4409


async def test_strangers_push_out_each_other_and_nobody_else(port: int, agency: Agency, limited: Limit) -> None:
    limited(realtime_unauthenticated=2)
    async with join(port, agency.medic.token) as known, dial(port) as first, dial(port) as second, dial(port):
        assert await first.close_code() == 4409
        assert await known.quiet() == []
        await second.hello(agency.partner.token)


async def test_stranger_has_a_time_to_say_hello(port: int, limited: Limit) -> None:
    limited(realtime_hello_seconds=1)
    async with dial(port) as wire:
        assert await wire.close_code() == 4408


async def test_client_that_answers_no_ping_is_ended(
    app: FastAPI, settings: Settings, agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = settings.model_copy(update={"websocket_heartbeat_seconds": 1})
    async with (
        serving_here(app, quick) as (port, _),
        join(port, agency.medic.token) as alive,
        join(port, agency.partner.token) as dead,
    ):
        monkeypatch.setattr(dead.socket.protocol, "receive_data", lambda data: None)  # deaf and dumb
        await expect_eventually(lambda: dead.socket.transport.is_closing())
        assert await alive.quiet() == []


async def test_stopping_server_sends_its_clients_elsewhere(
    app: FastAPI, settings: Settings, agency: Agency, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving_here(app, settings) as (port, server), join(port, agency.medic.token) as wire:
        monkeypatch.setattr(runtime, "is_stopping", True)
        async with dial(port) as late:
            assert await late.close_code() == 1012, "nobody new while it drains"
        assert await wire.quiet() == [], "who is here is served until the end"
        server.should_exit = True
        assert await wire.close_code() == 1012


async def test_process_that_is_told_to_stop_ends_its_websockets_and_itself(
    settings: Settings, agency: Agency, tmp_path: Path
) -> None:
    async with (
        serving(settings, tmp_path / "said", drain_seconds=1) as server,
        join(server.port, agency.medic.token) as wire,
    ):
        await wire.subscribe(worklist_of(agency, "incidents"))
        server.process.send_signal(signal.SIGTERM)
        assert await wire.close_code() == 1012
        assert await asyncio.to_thread(server.process.wait) == -signal.SIGTERM
    assert "Traceback" not in server.said.read_text() and "error" not in server.said.read_text()
