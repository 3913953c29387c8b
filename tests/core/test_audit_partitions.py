"""Partitions of the audit log are made ahead, by schedule and as the system role."""

from __future__ import annotations

import asyncpg

from app.core.audit.partitions import MONTHS_AHEAD, ensure_partitions
from app.core.runtime import Runtime

_FAR = "audit_events_{}"


async def test_missing_partitions_are_made_and_existing_ones_left_alone(
    runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    month = await admin_connection.fetchval(
        "SELECT to_char(date_trunc('month', now()) + make_interval(months => $1), 'YYYYMM')", MONTHS_AHEAD
    )
    await admin_connection.execute(f"DROP TABLE {_FAR.format(month)}")
    assert not await _exists(admin_connection, month)
    await ensure_partitions(runtime)
    await ensure_partitions(runtime)
    assert await _exists(admin_connection, month)


async def _exists(connection: asyncpg.Connection, month: str) -> bool:
    return await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", _FAR.format(month)) is True
