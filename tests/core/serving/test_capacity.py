"""More clients than the web server has connections for, and floods of bytes: others are served all the same."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.serving.protocol import SETTLING_SECONDS
from app.core.serving.settings import ServingSettings
from tests.core.http.contract import expect_refusal
from tests.core.serving.process import Line, Server, serving
from tests.core.waiting import expect_eventually

GET = b"GET /health/live HTTP/1.1\r\nHost: test\r\n"
LOGIN = json.dumps({"tenant_slug": "nobody", "email": "nobody"}).encode()
LOGIN_HEAD = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
LOGIN_HEAD += b"Content-Length: %d\r\n\r\n" % len(LOGIN)
SMALL = {"max_connections": 8, "request_head_seconds": 300, "request_body_seconds": 300}


@pytest.fixture(scope="module")
async def process(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with serving(settings, tmp_path_factory.mktemp("serving") / "said", **SMALL) as server:
        yield server


@pytest.fixture
async def server(process: Server) -> AsyncIterator[Server]:
    yield process
    await process.hang_up()
    await expect_eventually(process.serves)


async def test_connection_that_waits_longest_gives_way(server: Server) -> None:
    """One that has served before is kept as long as there are others."""
    served = await server.connect()
    await served.send(GET + b"\r\n")
    assert (await served.answer()).status_code == 200
    slow = [await server.connect() for _ in range(SMALL["max_connections"] - 1)]
    for line in slow:
        await line.send(GET)
    await expect_eventually(server.serves)

    await expect_eventually(lambda: [server.holds(line) for line in slow].count(False) == 1)
    await served.send(GET + b"\r\n")
    assert (await served.answer()).status_code == 200
    for line in filter(server.holds, slow):
        await line.send(b"\r\n")
        assert (await line.answer()).status_code == 200


async def test_connections_in_use_do_not_give_way(server: Server) -> None:
    """Their clients have asked for more than they read."""
    busy = [await server.connect(receive_buffer=4096) for _ in range(SMALL["max_connections"])]
    for line in busy:
        await line.send(b"GET /openapi.json HTTP/1.1\r\nHost: test\r\n\r\n" * 8)
        await line.reader.readexactly(1)
    await asyncio.sleep(SETTLING_SECONDS * 1.2)
    late = await server.connect()
    expect_refusal(await late.answer(), 503, "SERVICE_UNAVAILABLE")
    assert await late.is_closed()
    assert all(map(server.holds, busy))
    await server.hang_up()
    await expect_eventually(server.serves)


async def test_slowest_body_gives_way_if_nobody_waits_for_a_request(server: Server) -> None:
    bodies = {await server.connect(): 5 * number for number in range(1, SMALL["max_connections"] + 1)}
    for line, sent in bodies.items():
        await line.send(LOGIN_HEAD, LOGIN[:sent])
    await expect_eventually(server.serves)
    [slowest, *others] = bodies
    assert not server.holds(slowest)
    for line in others:
        await line.send(LOGIN[bodies[line] :])
        expect_refusal(await line.answer(), 422, "VALIDATION_FAILED")


async def attack(server: Server, number: int, parts: list[bytes], pause: float) -> list[Line]:
    """That many connections that send the parts slowly, or as long as they are let."""
    lines: list[Line] = []
    for _ in range(number):
        with contextlib.suppress(ConnectionError):
            lines.append(await server.connect())
    return list(await asyncio.gather(*(_keep_sending(line, parts, pause) for line in lines)))


async def _keep_sending(line: Line, parts: list[bytes], pause: float) -> Line:
    await line.send(*parts, pause=pause)
    return line


@pytest.mark.parametrize(
    ("limits", "number"),
    [
        pytest.param({"max_connections": 32, "request_head_seconds": 2}, 100, id="100"),
        pytest.param({}, 800, id="800", marks=pytest.mark.long),
    ],
)
async def test_slow_connections_do_not_keep_others_out(
    settings: Settings, tmp_path: Path, limits: dict[str, int], number: int
) -> None:
    """Each sends a header every second, for longer than it is given."""
    seconds = limits.get("request_head_seconds", ServingSettings().request_head_seconds)
    async with serving(settings, tmp_path / "said", **limits) as server:
        attacking = asyncio.create_task(attack(server, number, [GET, *[b"X-A: 1\r\n"] * (seconds + 2)], 1))
        while not attacking.done():
            await expect_eventually(server.serves)
            await asyncio.sleep(0.2)
        lines = await attacking
        assert len(lines) == number
        await expect_eventually(lambda: not any(map(server.holds, lines)), 60)
        assert (await server.get("/health/ready")).status_code == 200


@pytest.mark.parametrize(
    ("number", "megabytes", "allowed"),
    [pytest.param(60, 30, 12, id="30 MB"), pytest.param(800, 300, 100, id="300 MB", marks=pytest.mark.long)],
)
async def test_floods_of_headers_cost_little_memory(
    settings: Settings, tmp_path: Path, number: int, megabytes: int, allowed: int
) -> None:
    part = b"X-A: " + b"a" * 16_000
    async with serving(settings, tmp_path / "said") as server:
        await attack(server, 20, [GET, *[part] * 10], 0)
        before = server.memory()
        lines = await attack(server, number, [GET, *[part] * (megabytes * 1_000_000 // number // len(part))], 0)
        assert server.memory() - before < allowed * 1_000_000
        assert await server.serves()
        await expect_eventually(lambda: not any(map(server.holds, lines)), 60)
        assert await server.serves()
