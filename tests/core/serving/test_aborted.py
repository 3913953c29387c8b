"""Clients that vanish in the midst of their requests leave no connection, descriptor, memory or lock behind."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from app.core.config import Settings
from tests.core.http.contract import expect_refusal
from tests.core.serving.process import Line, Server, serving
from tests.core.waiting import expect_eventually
from tests.support.actors import Agency
from tests.support.charts import Call, open_call

CLIENTS = 16
GROWTH = 32_000_000
"""Bytes that the process may have more than after the warm-up: caches and pools fill, and the allocator keeps some."""


def requests_of(agency: Agency, call: Call) -> Iterator[bytes]:
    """Whole requests of every sort: short and long answers, writes, work in pools, refusals."""
    chart = f"/api/v1/ems/incidents/{call.incident['id']}"
    login = {"tenant_slug": agency.slug, "email": f"medic@{agency.slug}.example", "password": "not the password"}
    for number in itertools.count():
        yield request("GET", "/openapi.json")
        yield request("GET", "/api/v1/ems/incidents", agency)
        yield request("POST", "/api/v1/ems/incidents", agency, {"incident_number": f"A-{number}"})
        yield request("GET", f"{chart}/chart", agency)
        yield request("PATCH", chart, agency, {"version": 1, "location_city": "Springfield"})
        yield request("GET", f"{chart}/report.pdf", agency)
        yield request("POST", "/api/v1/auth/login", None, login)
        yield request("GET", "/health/ready")


def request(method: str, path: str, agency: Agency | None = None, body: object = None) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: test\r\n"
    if agency is not None:
        head += f"Authorization: Bearer {agency.medic.token}\r\n"
    if body is None:
        return f"{head}\r\n".encode()
    sent = json.dumps(body)
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n{sent}".encode()


async def abort_somewhere(line: Line, whole: bytes, chance: random.Random) -> None:
    """Sends some or all of the request, reads none or some of the answer, and is gone."""
    with contextlib.suppress(ConnectionError):
        if chance.random() < 0.3:
            await line.send(whole[: chance.randrange(1, len(whole))])
        else:
            await line.send(whole)
            await asyncio.sleep(chance.choice((0, 0, 0.001, 0.01, 0.1)))
            if chance.random() < 0.3:
                await line.reader.read(chance.randrange(1, 2000))
    if chance.random() < 0.5:
        line.abort()
    else:
        line.writer.transport.close()


async def abort_for(seconds: float, server: Server, requests: Iterator[bytes], chance: random.Random) -> int:
    """How many requests were aborted."""
    ends, count = time.monotonic() + seconds, 0

    async def client() -> None:
        nonlocal count
        while time.monotonic() < ends:
            await abort_somewhere(await server.connect(), next(requests), chance)
            server.lines.clear()
            count += 1

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return count


async def at_rest(server: Server) -> int:
    """How many files the process holds when no client is connected and no database connection is in use."""

    async def rests() -> bool:
        metrics = (await server.get("/metrics")).text
        return 'connections_used{pool="app"} 0.0' in metrics and not server.clients()

    await expect_eventually(rests, 60)
    return server.files()


@pytest.mark.parametrize(
    ("warm_up", "seconds"),
    [pytest.param(5, 10, id="short"), pytest.param(60, 300, id="five minutes", marks=pytest.mark.long)],
)
async def test_aborted_requests_leave_nothing_behind(
    settings: Settings, tmp_path: Path, agency: Agency, admin_connection: asyncpg.Connection, warm_up: int, seconds: int
) -> None:
    call = await open_call(agency)
    requests, chance = requests_of(agency, call), random.Random(4711)  # noqa: S311  # the same ends in every run
    async with serving(settings, tmp_path / "said", database_pool_size=5, max_connections=64) as server:
        await abort_for(warm_up, server, requests, chance)
        files, memory = await at_rest(server), server.memory()
        aborted = await abort_for(seconds, server, requests, chance)
        assert aborted > CLIENTS
        assert await at_rest(server) <= files + CLIENTS, "pools may have been filled since then"
        assert server.memory() - memory < GROWTH
        locks = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in %'"
        assert await admin_connection.fetchval(locks) == 0
        whole = await server.connect()
        await whole.send(request("GET", "/api/v1/ems/incidents", agency))
        assert (await whole.answer()).status_code == 200
        refused = await server.connect()
        await refused.send(request("GET", "/api/v1/ems/incidents"))
        expect_refusal(await refused.answer(), 401, "UNAUTHENTICATED")
    said = server.said.read_text()
    for trace in (
        "Traceback",
        "ResourceWarning",
        "unclosed",
        "never retrieved",
        "unhandled exception",
        "was destroyed",
    ):
        assert trace not in said, said[-3000:]
