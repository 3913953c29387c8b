"""The service in a process of its own, beside the one of the tests."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fastapi import FastAPI

from app.core import clock as module
from app.core.config import Settings
from app.main import create_app
from tests.support.database import ROOT


class MovedClock:
    """The service's only source of the present time, some seconds ahead."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def time(self) -> float:
        return time.time() + self.ahead

    def now(self, zone: dt.tzinfo) -> dt.datetime:
        return dt.datetime.now(zone) + dt.timedelta(seconds=self.ahead)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[MovedClock]:
    moved = MovedClock()
    named = {name: getattr(dt, name) for name in ("UTC", "timedelta")}
    monkeypatch.setattr(module, "dt", type("Moved", (), {**named, "datetime": moved}))
    monkeypatch.setattr(module, "time", moved)
    yield moved


def environment_of(settings: Settings) -> dict[str, str]:
    """What another process needs to be the same installation."""
    given = {
        "ENVIRONMENT": settings.environment.value,
        "DATA_DIR": str(settings.data_dir),
        "PASSWORD_ROUNDS": str(settings.password_rounds),
        "ACCESS_TOKEN_SECONDS": str(settings.access_token_seconds),
        "ADDRESS_FAILURES": str(settings.address_failures),
        "RUN_JOBS": "false",
        "LOG_LEVEL": "ERROR",
    }
    for name in ("database_url", "system_database_url", "migration_database_url", "redis_url"):
        given[name.upper()] = getattr(settings, name).get_secret_value()
    return {**os.environ, **given}


@pytest.fixture(scope="module")
async def neighbour(settings: Settings, app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A second process with the same keys and database, over a real socket."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port, descriptor = listening.getsockname()[1], listening.fileno()
        process = subprocess.Popen(  # noqa: ASYNC220  # returns at once; its end is awaited below
            [sys.executable, "-m", "uvicorn", "app.main:create_app", "--factory", "--fd", str(descriptor)],
            cwd=ROOT,
            env=environment_of(settings),
            pass_fds=[descriptor],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            yield http
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


@contextlib.asynccontextmanager
async def another_app(settings: Settings) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """One more app in this process, on its own connections and with its own gate and counters."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            yield app, http
