"""One installation for the tests that need processes of the service."""

from __future__ import annotations

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
async def process(installation: Installation) -> AsyncIterator[Process]:
    async with installation.process() as process:
        yield process
