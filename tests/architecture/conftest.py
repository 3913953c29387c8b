"""A database of its own, made by the migrations and by nothing else; the service's entities."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from alembic import command

from tests.architecture.scratch import scratch_database
from tests.support.database import TestDatabase, alembic_config


@pytest.fixture(scope="session")
def migrated(worker_id: str) -> Iterator[TestDatabase]:
    with scratch_database(f"catalogue_{worker_id}") as database:
        command.upgrade(alembic_config(database), "head")
        yield database


@pytest.fixture
async def catalogue(migrated: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection to the migrated database."""
    connection = await asyncpg.connect(migrated.admin)
    yield connection
    await connection.close()
