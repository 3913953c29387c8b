"""The web server of production, serving the app of the tests, in their event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from fastapi import FastAPI

from app.core.config import Settings
from app.core.outbox.relay import OutboxRelay
from app.core.outbox.signal import OutboxSignal
from app.core.runtime import Runtime
from app.core.serving.protocol import BoundedConfig
from app.core.serving.server import DrainingServer
from app.realtime.service import REALTIME, Realtime
from app.registry import WEBSOCKETS
from tests.core.waiting import expect_eventually


class Served(DrainingServer):
    """It leaves the signals of the process alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving_here(app: FastAPI, settings: Settings) -> AsyncIterator[tuple[int, Served]]:
    """The port, and the server. The app has been started already."""
    runtime: Runtime = app.state.runtime
    server = Served(
        BoundedConfig(app, settings, websockets=WEBSOCKETS, lifespan="off", log_config=None), runtime.announce_stop
    )
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        port: int = listening.getsockname()[1]
        task = asyncio.create_task(server.serve([listening]))
        await expect_eventually(lambda: server.started)
        await runtime.gateways.get(REALTIME).pump.ready.wait()
        try:
            yield port, server
        finally:
            server.should_exit = True
            await task


@pytest.fixture(scope="session")
async def port(app: FastAPI, settings: Settings) -> AsyncIterator[int]:
    async with serving_here(app, settings) as (port, _):
        yield port


@pytest.fixture
def realtime(runtime: Runtime) -> Realtime:
    return runtime.gateways.get(REALTIME)


@pytest.fixture
def publisher(runtime: Runtime) -> OutboxRelay:
    """A relay without handlers: it publishes whatever was committed."""
    return OutboxRelay(runtime, (), OutboxSignal(None, "unused"))


@pytest.fixture
def limited(realtime: Realtime, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets limits of the websockets for the length of a test."""

    def limit(**values: int | str) -> None:
        changed = realtime.limits.model_copy(update=values)
        for owner, name in ((realtime, "limits"), (realtime.admission, "_limits"), (realtime.opener, "_limits")):
            monkeypatch.setattr(owner, name, changed)

    return limit
