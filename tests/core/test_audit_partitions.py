"""Partitions of the audit log are made ahead, by schedule and as the system role."""

from __future__ import annotations

import asyncpg
import pytest

from app.core.audit.partitions import LOGS, MONTHS_AHEAD, detach_expired_partitions, ensure_partitions
from app.core.runtime import Runtime


@pytest.mark.parametrize("log", LOGS)
async def test_missing_partitions_are_made_and_existing_ones_left_alone(
    runtime: Runtime, admin_connection: asyncpg.Connection, log: str
) -> None:
    month = await admin_connection.fetchval(
        "SELECT to_char(date_trunc('month', now()) + make_interval(months => $1), 'YYYYMM')", MONTHS_AHEAD
    )
    await admin_connection.execute(f"DROP TABLE {log}_{month}")
    assert not await _exists(admin_connection, f"{log}_{month}")
    await ensure_partitions(runtime)
    await ensure_partitions(runtime)
    assert await _exists(admin_connection, f"{log}_{month}")


@pytest.mark.parametrize("log", LOGS)
async def test_expired_partition_is_detached_whole_and_stays_append_only(
    runtime: Runtime, admin_connection: asyncpg.Connection, log: str
) -> None:
    old = await admin_connection.fetchval("SELECT to_char(now() - interval '10 years 2 months', 'YYYYMM')")
    kept = await admin_connection.fetchval("SELECT to_char(now() - interval '9 years 10 months', 'YYYYMM')")
    for month in (old, kept):
        await admin_connection.execute("SELECT fusionems_ensure_partition($1, to_date($2, 'YYYYMM'))", log, month)
    await admin_connection.execute(_ROW[log].format(f"{log}_{old}"), old)
    assert await detach_expired_partitions(runtime) == [f"{log}_{old}"]
    assert await detach_expired_partitions(runtime) == []
    children = await admin_connection.fetch("SELECT inhrelid::regclass::text FROM pg_inherits")
    names = {row[0] for row in children}
    assert f"{log}_{kept}" in names and f"{log}_{old}" not in names
    assert await admin_connection.fetchval(f"SELECT count(*) FROM {log}_{old}") == 1
    for write in ("UPDATE {} SET tenant_id = tenant_id", "DELETE FROM {}", "TRUNCATE {}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await admin_connection.execute(write.format(f"{log}_{old}"))
    for month in (old, kept):
        await admin_connection.execute(f"DROP TABLE {log}_{month}")


async def test_nothing_younger_than_ten_years_can_be_detached(runtime: Runtime) -> None:
    lease = await runtime.system.acquire()
    try:
        with pytest.raises(asyncpg.InvalidParameterValueError, match="ten years"):
            await lease.conn.execute("SELECT fusionems_detach_expired_partitions(9)")
        with pytest.raises(asyncpg.InvalidParameterValueError, match="not partitioned"):
            await lease.conn.execute("SELECT fusionems_ensure_partition('users', '2026-01-01')")
    finally:
        await runtime.system.release(lease)


_ID = "rpad(lpad(to_hex((extract(epoch FROM to_date($1, 'YYYYMM') + 5) * 1000)::bigint), 12, '0'), 32, '0')::uuid"
_ROW = {
    "audit_events": "INSERT INTO {} (id, tenant_id, entity_type, entity_id, action, changed_fields_json)"
    f" VALUES ({_ID}, gen_random_uuid(), 'probe', gen_random_uuid(), 'probe', '{{}}')".replace("{}')", "{{}}')"),
    "access_log": "INSERT INTO {} (id, tenant_id, actor_user_id, actor_role, purpose, categories)"
    f" VALUES ({_ID}, gen_random_uuid(), gen_random_uuid(), 'ems', 'treatment', '{{}}')".replace("{}')", "{{}}')"),
}


async def _exists(connection: asyncpg.Connection, name: str) -> bool:
    return await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", name) is True
