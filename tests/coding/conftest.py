"""An application on a database of its own: codes that are loaded there change what claims of other tests are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from app.coding.icd10.index import marked
from app.coding.lookup.book import LoadedCodes
from app.core.config import Settings
from app.core.runtime import Runtime
from app.main import create_app
from app.registry import CODE_BOOKS
from scripts.codesets.icd10_sources import Icd10Row
from tests.coding.sample import load_sample
from tests.coding.whole import index_of, shipped_rows
from tests.support.actors import Agency, found_agency
from tests.support.database import CHECKOUT, TestDatabase, build_database


@pytest.fixture(scope="session")
def coding_database(worker_id: str) -> TestDatabase:
    database = build_database(f"fusionems_test_{CHECKOUT}_coding_{worker_id}")
    asyncio.run(load_sample(database.owner))
    return database


@pytest.fixture(scope="session")
def coding_settings(coding_database: TestDatabase, settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "database_url": SecretStr(coding_database.app),
            "system_database_url": SecretStr(coding_database.system),
            "migration_database_url": SecretStr(coding_database.owner),
        }
    )


@pytest.fixture(scope="session")
async def coding_app(coding_settings: Settings) -> AsyncIterator[FastAPI]:
    application = create_app(coding_settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture(scope="session")
def coding_runtime(coding_app: FastAPI) -> Runtime:
    held: Runtime = coding_app.state.runtime
    return held


@pytest.fixture(scope="session")
async def coding_client(coding_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(coding_app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        yield http


@pytest.fixture
async def coders(coding_client: httpx.AsyncClient, coding_settings: Settings) -> Agency:
    """An agency of that application."""
    return await found_agency(coding_client, coding_settings)


@pytest.fixture
async def coding_admin(coding_database: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's view of the codes and of who changed what."""
    connection = await asyncpg.connect(coding_database.admin)
    yield connection
    await connection.close()


@pytest.fixture
async def loaded(coding_runtime: Runtime) -> None:
    """Both indexes show what the database has."""
    for book in CODE_BOOKS:
        await coding_runtime.gateways.get(book).refresh()


@pytest.fixture(scope="session")
def import_database(worker_id: str) -> TestDatabase:
    """Where releases come and go."""
    return build_database(f"fusionems_test_{CHECKOUT}_import_{worker_id}")


@pytest.fixture
async def owner(import_database: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    """The importers' own connection, to tables without codes."""
    connection = await asyncpg.connect(import_database.owner)
    await connection.execute("TRUNCATE icd10_codes, rxnorm_concepts, rxnorm_relations, code_releases CASCADE")
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def shipped() -> list[Icd10Row]:
    """The whole of ICD-10-CM as the package ships it."""
    return shipped_rows()


@pytest.fixture(scope="session")
def whole(shipped: list[Icd10Row]) -> LoadedCodes:
    """Its index, made without a database."""
    return marked(index_of(shipped))
