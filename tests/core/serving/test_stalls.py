"""How long a client may take to read its answer: for as long as it goes on reading."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from uvicorn.server import ServerState

from app.core.serving.protocol import BoundedConfig, BoundedProtocol
from app.core.serving.settings import ServingSettings

LIMITS = ServingSettings()
HIGH, LOW = 65_536, 16_384
GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"


class Timers:
    """The event loop, whose timers the test fires."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._set: list[tuple[float, asyncio.TimerHandle]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def call_later(self, seconds: float, act: Callable[..., object], *arguments: Any) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(0, act, arguments, self._loop)
        self._set.append((seconds, timer))
        return timer

    def fire(self) -> None:
        """Those that were set for the time in which a client must take something."""
        fired = [timer for seconds, timer in self._set if seconds == LIMITS.response_stall_seconds]
        self._set.clear()
        for timer in fired:
            if not timer.cancelled():
                timer._run()


class Wire(asyncio.Transport):
    """A connection whose client takes what the test says. It tells its protocol as uvloop does."""

    def __init__(self, protocol: BoundedProtocol) -> None:
        super().__init__()
        self._protocol = protocol
        self.left = 0
        self.is_closed = self.is_cut = self._is_full = False

    def write(self, data: Any) -> None:
        self.left += len(data)
        if self.left > HIGH and not self._is_full:
            self._is_full = True
            self._protocol.pause_writing()

    def take(self, size: int) -> None:
        self.left -= size
        if self.left <= LOW and self._is_full:
            self._is_full = False
            self._protocol.resume_writing()

    def get_write_buffer_size(self) -> int:
        return self.left

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = self.is_cut = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol


async def answered(request: bytes, length: int) -> tuple[Wire, Timers]:
    """A connection whose request is answered with so many bytes, of which the client has taken none."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"%d" % length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"a" * length})

    timers, state = Timers(), ServerState()
    loop: Any = timers
    protocol = BoundedProtocol(BoundedConfig(app, LIMITS, log_config=None), state, {}, loop)
    wire = Wire(protocol)
    protocol.connection_made(wire)
    protocol.data_received(request)
    await asyncio.gather(*state.tasks)
    return wire, timers


@pytest.mark.parametrize("request_", [GET, LAST], ids=["kept", "closed"])
async def test_client_that_takes_a_long_answer_slowly_gets_all_of_it(request_: bytes) -> None:
    wire, timers = await answered(request_, 20 * HIGH)
    for _ in range(19):
        wire.take(HIGH)
        timers.fire()
        assert not wire.is_cut


@pytest.mark.parametrize("length", [1000, 20 * HIGH])
async def test_client_that_takes_nothing_of_its_last_answer_is_cut_off(length: int) -> None:
    wire, timers = await answered(LAST, length)
    assert wire.is_closed and not wire.is_cut
    timers.fire()
    timers.fire()
    assert wire.is_cut


async def test_client_that_stops_reading_near_the_end_is_cut_off() -> None:
    wire, timers = await answered(LAST, 20 * HIGH)
    wire.take(wire.left - 10)
    for _ in range(3):
        timers.fire()
    assert wire.is_cut
