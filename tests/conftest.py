"""Fixtures: a migrated database per worker, the real app over HTTP, fresh agencies per test."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from app.core.auth import throttle
from app.core.config import Environment, Settings
from app.core.outbox.relay import OutboxRelay
from app.core.outbox.signal import OutboxSignal
from app.core.runtime import Runtime
from app.main import create_app
from app.registry import SUBSCRIPTIONS, ServiceSettings
from tests.support.actors import Actor, Agency, found_agency
from tests.support.database import CHECKOUT, TestDatabase, build_database, shared_dir


@pytest.fixture(scope="session")
def database(worker_id: str) -> TestDatabase:
    return build_database(f"fusionems_test_{CHECKOUT}_{worker_id}")


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """A machine that stands still for a moment has not lost Redis."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(throttle, "REDIS_SECONDS", 60)
        yield


@pytest.fixture(scope="session")
def settings(database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    shared = shared_dir()
    return ServiceSettings(
        environment=Environment.TEST,
        database_url=SecretStr(database.app),
        system_database_url=SecretStr(database.system),
        migration_database_url=SecretStr(database.owner),
        redis_url=SecretStr(os.environ["REDIS_URL"]),
        data_dir=tmp_path_factory.mktemp("data"),
        nemsis_schema_dir=None if shared is None else shared / "nemsis" / "xsd",
        password_rounds=4,
        access_token_seconds=3600,
        address_failures=1_000_000,
        forgot_password_milliseconds=50,
        run_jobs=False,
        log_level="ERROR",
    )


@pytest.fixture(scope="session")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture(scope="session")
def runtime(app: FastAPI) -> Runtime:
    held: Runtime = app.state.runtime
    return held


@pytest.fixture(scope="session")
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        yield http


@pytest.fixture
def found(client: httpx.AsyncClient, settings: Settings) -> Callable[[], Awaitable[Agency]]:
    """A factory of fresh agencies."""
    return lambda: found_agency(client, settings)


@pytest.fixture
async def agency(client: httpx.AsyncClient, settings: Settings) -> Agency:
    return await found_agency(client, settings)


@pytest.fixture
def anonymous(client: httpx.AsyncClient) -> Actor:
    return Actor(client)


@pytest.fixture
async def admin_connection(database: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's view of everything, to assert what happened and what did not."""
    connection = await asyncpg.connect(database.admin)
    yield connection
    await connection.close()


@pytest.fixture
def relay(runtime: Runtime) -> OutboxRelay:
    """`await relay.drain()` hands every pending event to its handlers."""
    return OutboxRelay(runtime, SUBSCRIPTIONS, OutboxSignal(None, "unused"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference material. Skips, saying why, where it is absent."""
    directory = shared_dir()
    if directory is None:
        pytest.skip("no reference material: set SHARED_DIR or place shared/ beside the project")
    return directory
