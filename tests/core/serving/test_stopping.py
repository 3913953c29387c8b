"""A process that is told to stop tells the balancer first, then ends what is in flight."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.core.config import Settings
from app.core.serving.protocol import BoundedConfig
from app.core.serving.server import DrainingServer
from app.core.serving.settings import ServingSettings
from tests.core.http.contract import expect_refusal
from tests.core.serving.process import Server, serving
from tests.core.serving.test_capacity import GET, LOGIN, LOGIN_HEAD
from tests.core.waiting import expect_eventually


@pytest.fixture
async def server(settings: Settings, tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(settings, tmp_path / "said", drain_seconds=600) as server:
        yield server


async def test_readiness_ends_before_the_listener_and_requests_in_flight_end_well(server: Server) -> None:
    """The second signal stands for the end of DRAIN_SECONDS."""

    async def is_announced() -> bool:
        return (await server.get("/health/ready")).status_code == 503

    async def is_refused() -> bool:
        try:
            (await server.connect()).abort()
        except ConnectionRefusedError:
            return True
        return False

    in_flight, idle = await server.connect(), await server.connect()
    await in_flight.send(LOGIN_HEAD, LOGIN[:10])
    await idle.send(GET + b"\r\n")
    assert (await idle.answer()).status_code == 200

    server.process.send_signal(signal.SIGTERM)
    await expect_eventually(is_announced)
    expect_refusal(await server.get("/health/ready"), 503, "SERVICE_UNAVAILABLE")
    await idle.send(GET + b"\r\n")
    last = await idle.answer()
    assert (last.status_code, last.headers["connection"]) == (200, "close"), "served, for the last time"
    assert await idle.is_closed()

    server.process.send_signal(signal.SIGTERM)
    await expect_eventually(is_refused)
    assert server.process.poll() is None
    await in_flight.send(LOGIN[10:])
    expect_refusal(await in_flight.answer(), 422, "VALIDATION_FAILED")
    assert await asyncio.to_thread(server.process.wait) == -signal.SIGTERM
    assert "Traceback" not in server.said.read_text()


async def nothing(*_: Any) -> None:
    """An application that is never asked."""


async def test_drain_ends_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now, announced = [1000.0], []
    monkeypatch.setattr("app.core.serving.server.time", SimpleNamespace(monotonic=lambda: now[0]))
    server = DrainingServer(BoundedConfig(nothing, ServingSettings(drain_seconds=10)), lambda: announced.append(now[0]))
    assert not await server.on_tick(1)
    server.handle_exit(signal.SIGTERM, None)
    assert announced == []
    assert not await server.on_tick(2)
    now[0] += 9.9
    assert not await server.on_tick(3)
    now[0] += 0.1
    assert await server.on_tick(4)
    assert announced == [1000.0], "once"


async def test_interrupt_does_not_drain() -> None:
    announced: list[bool] = []
    server = DrainingServer(BoundedConfig(nothing, ServingSettings()), lambda: announced.append(True))
    server.handle_exit(signal.SIGINT, None)
    assert await server.on_tick(1)
    assert announced == []
