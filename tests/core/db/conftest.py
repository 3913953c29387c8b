"""A small pool of the application role, watched at every checkout."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from app.core.config import Settings
from app.core.db.pool import ConnectionSource, Lease, create_engine

POOL_SIZE = 4


class WatchedSource(ConnectionSource):
    """Notes every connection that is handed out with a tenant of somebody else, or inside a transaction."""

    def __init__(self, name: str, engine: Any) -> None:
        super().__init__(engine)
        self.name = name
        self.soiled: list[str] = []
        self.checkouts = 0

    async def acquire(self) -> Lease:
        lease = await super().acquire()
        self.checkouts += 1
        if lease.conn.is_in_transaction():
            self.soiled.append("in a transaction")
        try:
            tenant = await lease.conn.fetchval("SELECT current_setting('app.tenant_id', true)")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            return lease  # a dead connection, which the unit of work must notice by itself
        except BaseException:
            await self.discard(lease)
            raise
        if tenant:
            self.soiled.append(tenant)
        return lease

    async def states(self, admin: asyncpg.Connection) -> list[str]:
        """What this pool's backends are doing, as the server sees it."""
        rows = await admin.fetch("SELECT state FROM pg_stat_activity WHERE application_name = $1", self.name)
        return [row["state"] for row in rows]


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[WatchedSource]:
    name = f"watched-{uuid.uuid4().hex[:12]}"
    engine = create_engine(settings.database_url.get_secret_value(), pool_size=POOL_SIZE, application_name=name)
    source = WatchedSource(name, engine)
    yield source
    assert source.soiled == []
    assert source.checked_out() == 0, "a connection was lost"
    await source.dispose()
