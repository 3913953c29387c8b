"""Every filter of the audit log is answered from an index, and the measurement of that still measures."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import Any

import asyncpg
import orjson

from app.core.audit.repository import AuditEventRepository
from app.core.db.sql import CompiledStatement
from bench.audit import PAGE, RARE, fill
from bench.scratch import ROOT
from tests.support.actors import Agency
from tests.support.database import TestDatabase

ROWS = 20_000


class Explaining:
    """Stands in for a unit of work: runs a statement for its plan."""

    def __init__(self, connection: asyncpg.Connection, tenant_id: Any) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self.plan: dict[str, Any] = {}

    async def fetch(self, statement: CompiledStatement, values: dict[str, Any]) -> list[Any]:
        async with self._connection.transaction():
            await self._connection.execute("SELECT set_config('app.tenant_id', $1, true)", str(self._tenant_id))
            explained = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}"
            [row] = await self._connection.fetch(explained, *statement.arguments(values))
        [self.plan] = orjson.loads(row[0])
        return []


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


async def test_every_filter_is_answered_from_an_index(
    agency: Agency, database: TestDatabase, admin_connection: asyncpg.Connection
) -> None:
    connection = await asyncpg.connect(database.app)
    try:
        log = await fill(connection, agency.tenant_id, ROWS)
        await admin_connection.execute("ANALYZE audit_events")
        explaining: Any = Explaining(connection, agency.tenant_id)
        for name, query in log.filters.items():
            for ascending in (False, True):
                await AuditEventRepository(explaining).list_page(
                    agency.tenant_id, limit=PAGE, ascending=ascending, **query
                )
                found = list(nodes(explaining.plan["Plan"]))
                removed = sum(node.get("Rows Removed by Filter", 0) for node in found)
                read = max(node["Actual Rows"] * node["Actual Loops"] for node in found)
                # Common events are found as fast in the order of the log as by the filter's own index. The planner may
                # read the primary key then, past the events that other tests leave.
                if name not in ("no filter", "common action"):
                    assert removed <= PAGE, f"{name}: {removed} rows were read for nothing"
                assert read <= 10 * PAGE, f"{name}: {read} rows were read"
    finally:
        await connection.close()


async def test_every_filter_is_measured() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.audit", "--json", "--rows", "2000", "--reads", "2",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    summary = orjson.loads(output)
    assert {name: measures["rows"] for name, measures in summary.items()} == {
        "no filter": PAGE,
        "common action": PAGE,
        "rare action": RARE,
        "absent action": 0,
        "rare kind": RARE + 2,  # and the two people of the agency
        "rare person": RARE,
        "entity": 10,
        "chart": PAGE,
    }
    assert all(measures["p50 ms"] > 0 for measures in summary.values())
