"""One installation for the tests that need processes of the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from app.core.config import Settings
from tests.realtime.processes.installation import Installation, Process, Redis, installed, killable_redis
from tests.support.database import CHECKOUT, TestDatabase, build_database


@pytest.fixture(scope="session")
def own_database(worker_id: str) -> TestDatabase:
    """A database without other tests' events, which the relay of the processes would publish first."""
    return build_database(f"fusionems_test_{CHECKOUT}_realtime_{worker_id}")


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with killable_redis(tmp_path_factory.mktemp("redis")) as redis:
        yield redis


@pytest.fixture(scope="session")
def installation(
    settings: Settings, own_database: TestDatabase, redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    return installed(settings, own_database, redis, tmp_path_factory.mktemp("installation"))


@pytest.fixture(scope="session")
async def processes(installation: Installation) -> AsyncIterator[list[Process]]:
    """Two, with room for many clients of one user. They serve all tests, because their start is expensive."""
    room = {"max_connections": 1000, "realtime_connections": 500, "realtime_connections_per_user": 100}
    first, second = installation.process(**room), installation.process(**room)
    try:
        await asyncio.gather(first.start(), second.start())
        yield [first, second]
    finally:
        await asyncio.gather(first.kill(), second.kill())


@pytest.fixture
def process(processes: list[Process]) -> Process:
    return processes[0]
