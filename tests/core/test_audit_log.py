"""audit_events and chart_revisions: append-only for everybody, by whatever name they are addressed; partitions."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import asyncpg
import pytest

from app.core.ids import new_id
from app.core.runtime import Runtime
from tests.core.charts import Chart
from tests.core.evidence import one

_PARTITIONS = (
    "SELECT inhrelid::regclass::text FROM pg_inherits"
    " WHERE inhparent IN ('audit_events'::regclass, 'access_log'::regclass) ORDER BY 1"
)
_INSERT_ACCESS = (
    "INSERT INTO access_log (id, tenant_id, actor_user_id, actor_role, purpose, categories)"
    " VALUES ($1, $2, $1, 'ems', 'treatment', '{}') RETURNING tableoid::regclass::text"
)
_INSERT = (
    "INSERT INTO audit_events (id, tenant_id, entity_type, entity_id, action, changed_fields_json)"
    " VALUES ($1, $2, 'probe', $1, 'probe', '{}') RETURNING tableoid::regclass::text"
)
WRITES = ("UPDATE {} SET tenant_id = tenant_id", "DELETE FROM {}", "TRUNCATE {}")


def id_at(moment: dt.datetime, tail: int = 0) -> uuid.UUID:
    """A UUIDv7 of that millisecond; `tail` 0 is the smallest, -1 the largest."""
    milliseconds = int(moment.timestamp() * 1000)
    rest = (0x7 << 76) | (0x8 << 60) if tail == 0 else (0x7FFF << 64) | (0xBFFF << 48) | (2**48 - 1)
    return uuid.UUID(int=(milliseconds << 80) | rest)


def month(offset: int) -> dt.datetime:
    """The first instant of the month that many months from now."""
    now = dt.datetime.now(dt.UTC)
    index = now.year * 12 + now.month - 1 + offset
    return dt.datetime(index // 12, index % 12 + 1, 1, tzinfo=dt.UTC)


def partition(offset: int) -> str:
    return f"audit_events_{month(offset):%Y%m}"


async def partitions(connection: asyncpg.Connection) -> list[str]:
    return [row[0] for row in await connection.fetch(_PARTITIONS)]


async def test_append_only_for_every_role(chart: Chart, admin_connection: asyncpg.Connection) -> None:
    """The app and the system are granted nothing; the owner and even a superuser meet the triggers."""
    assert await admin_connection.fetchval("SELECT count(*) FROM audit_events") > 0
    assert await admin_connection.fetchval("SELECT count(*) FROM chart_revisions") > 0
    tables = ["chart_revisions", *await partitions(admin_connection)]
    for role in ("fusionems_app", "fusionems_system", "fusionems_owner", "postgres"):
        for table in tables:
            for write in WRITES:
                transaction = admin_connection.transaction()
                await transaction.start()
                if table != "chart_revisions":  # so that a row-level trigger has a row to fire for
                    await _fill(admin_connection, table)
                await admin_connection.execute(f"SET LOCAL ROLE {role}")
                await admin_connection.execute("SELECT set_config('app.tenant_id', $1, true)", str(chart.tenant_id))
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await admin_connection.execute(write.format(table))
                    pytest.fail(f"{role}: {write.format(table)}")
                await transaction.rollback()


async def _fill(connection: asyncpg.Connection, table: str) -> None:
    suffix = table.rpartition("_")[2]
    when = dt.datetime(2150, 1, 1) if suffix == "default" else dt.datetime.strptime(suffix, "%Y%m")
    insert = _INSERT_ACCESS if table.startswith("access_log") else _INSERT
    assert await connection.fetchval(insert, id_at(when.replace(tzinfo=dt.UTC)), new_id()) == table


async def test_no_role_of_the_service_can_take_the_triggers_away(admin_connection: asyncpg.Connection) -> None:
    """That takes a superuser's setting or DDL by the owner."""
    for attempt in (
        "SET LOCAL session_replication_role = replica",
        "ALTER TABLE audit_events DISABLE TRIGGER ALL",
        "ALTER TABLE audit_events DETACH PARTITION audit_events_default",
        "DROP TABLE audit_events",
        "DROP FUNCTION fusionems_append_only() CASCADE",
        "ALTER TABLE audit_events DISABLE ROW LEVEL SECURITY",
        "CREATE TABLE more_grants (id uuid)",
        "SET LOCAL ROLE fusionems_owner",
    ):
        for role in ("fusionems_app", "fusionems_system"):
            transaction = admin_connection.transaction()
            await transaction.start()
            await admin_connection.execute(f"SET LOCAL SESSION AUTHORIZATION {role}")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await admin_connection.execute(attempt)
                pytest.fail(f"{role}: {attempt}")
            await transaction.rollback()
            await admin_connection.execute("RESET SESSION AUTHORIZATION")


async def test_partitions_are_closed_to_the_app_role(admin_connection: asyncpg.Connection, chart: Chart) -> None:
    """The parent's row-level security does not cover a partition that is addressed directly."""
    for table in await partitions(admin_connection):
        for role in ("fusionems_app", "fusionems_system"):
            grants = await admin_connection.fetchval(
                "SELECT has_table_privilege($1, $2, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')",
                role,
                table,
            )
            assert not grants, (role, table)


async def test_partitions_reach_from_the_last_month_into_the_next_years(admin_connection: asyncpg.Connection) -> None:
    found = await partitions(admin_connection)
    assert "audit_events_default" in found
    assert {partition(offset) for offset in range(24)} <= set(found)


@pytest.mark.parametrize("offset", [0, 1, 12])
async def test_event_lands_in_the_partition_of_its_month(admin_connection: asyncpg.Connection, offset: int) -> None:
    first, last = month(offset), month(offset + 1) - dt.timedelta(milliseconds=1)
    transaction = admin_connection.transaction()
    await transaction.start()
    for moment, tail, expected in (
        (first, 0, partition(offset)),
        (last, -1, partition(offset)),
        (first - dt.timedelta(milliseconds=1), -1, partition(offset - 1)),
        (last + dt.timedelta(milliseconds=1), 0, partition(offset + 1)),
    ):
        assert await admin_connection.fetchval(_INSERT, id_at(moment, tail), new_id()) == expected
    await transaction.rollback()


async def test_real_event_lands_in_this_month(chart: Chart, admin_connection: asyncpg.Connection) -> None:
    row = await one(
        admin_connection,
        "SELECT tableoid::regclass::text AS partition, created_at FROM audit_events WHERE entity_id = $1",
        chart.id,
    )
    assert row["partition"] == f"audit_events_{row['created_at']:%Y%m}"


@pytest.mark.parametrize("far", [dt.datetime(1999, 1, 1, tzinfo=dt.UTC), dt.datetime(2150, 1, 1, tzinfo=dt.UTC)])
async def test_event_of_no_month_is_kept_by_default(admin_connection: asyncpg.Connection, far: dt.datetime) -> None:
    transaction = admin_connection.transaction()
    await transaction.start()
    assert await admin_connection.fetchval(_INSERT, id_at(far), new_id()) == "audit_events_default"
    await transaction.rollback()


async def ensure(connection: Any, moment: dt.datetime) -> None:
    await connection.execute("SELECT fusionems_ensure_audit_partition($1)", moment.date())


async def test_system_role_makes_the_partition_of_a_further_month(
    runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    name = partition(60)
    lease = await runtime.system.acquire()
    try:
        await ensure(lease.conn, month(60) + dt.timedelta(days=20))
        await ensure(lease.conn, month(60))
    finally:
        await runtime.system.release(lease)
    assert name in await partitions(admin_connection)
    transaction = admin_connection.transaction()
    await transaction.start()
    assert await admin_connection.fetchval(_INSERT, id_at(month(60)), new_id()) == name
    assert await admin_connection.fetchval(_INSERT, id_at(month(61)), new_id()) == "audit_events_default"
    for write in WRITES:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            async with admin_connection.transaction():
                await admin_connection.execute(write.format(name))
    await transaction.rollback()
    owner = await admin_connection.fetchval("SELECT tableowner FROM pg_tables WHERE tablename = $1", name)
    assert owner == "fusionems_owner"


async def test_app_role_makes_no_partitions(runtime: Runtime) -> None:
    lease = await runtime.database.acquire()
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ensure(lease.conn, month(70))
    finally:
        await runtime.database.release(lease)


async def test_partition_is_not_fooled_by_a_table_of_the_same_name_elsewhere(
    runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    """SECURITY DEFINER: the caller's temporary tables and search path must not decide what the owner does."""
    lease = await runtime.system.acquire()
    try:
        await lease.conn.execute("BEGIN")
        await lease.conn.execute(f"CREATE TEMPORARY TABLE {partition(61)} (id uuid)")
        await ensure(lease.conn, month(61))
        made = await lease.conn.fetchval("SELECT to_regclass($1)::oid", f"public.{partition(61)}")
        assert made is not None
        await lease.conn.execute("ROLLBACK")
    finally:
        await runtime.system.release(lease)
