"""What the filters of the audit log cost: a page of each beside a page of the whole log, in one run.

`make bench ARGS=audit` fills a log with common events and a few rare ones, which are its oldest. `ratio` is the time
of a page by that of a page without a filter. A filter that no index answers reads the whole log, so its ratio grows
with `--rows`.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from app.core.audit.repository import AuditEventRepository
from app.core.config import Settings
from app.core.ids import TenantId, UserId, new_id
from app.core.permissions import Principal, Role
from app.core.runtime import build_runtime
from app.registry import COMPOSITION
from bench.report import Summary, table
from bench.scratch import dsn_of, found_agency, scratch_database

PAGE = 51  # rows of a page, and one that tells whether another follows
RARE = 5
ENTRIES, EVENTS_OF_ENTRY = 40, 10
_BATCH = 20_000  # rows of one statement, which the role's timeout ends
_ALL = "no filter"
_CANNOT_MEASURE = (OSError, asyncpg.PostgresError)
# An id of n: the milliseconds of its time, the version, n.
_EVENTS = """
INSERT INTO audit_events (id, tenant_id, actor_user_id, entity_type, entity_id, action, changed_fields_json)
SELECT (lpad(to_hex($2::bigint + n), 12, '0') || '7' || lpad(to_hex(n), 19, '0'))::uuid, $1,
    CASE WHEN n <= $4 THEN $5::uuid ELSE md5('actor' || n % 20)::uuid END,
    CASE WHEN n <= $4 THEN 'user' WHEN n % 3 = 0 THEN 'incident' ELSE 'vital' END,
    CASE WHEN n % ($3::int / $7::int) = 0 THEN ($6::uuid[])[1 + n / ($3::int / $7::int) % cardinality($6::uuid[])]
        ELSE md5('entity' || n / 8)::uuid END,
    CASE WHEN n <= $4 THEN 'user.disabled' WHEN n % 3 = 0 THEN 'incident.revised' ELSE 'vital.revised' END,
    '{"spo2": [96, 97]}'
FROM generate_series($8::int, $9::int) AS n
"""
_REVISIONS = """
INSERT INTO chart_revisions (id, tenant_id, incident_id, entity, entity_id, version, snapshot)
SELECT gen_random_uuid(), $1, $2, 'vital', entry, 1, '{}' FROM unnest($3::uuid[]) AS entry
"""


@dataclass(frozen=True)
class Log:
    """A filled log, and the filters by what they look for."""

    tenant_id: TenantId
    filters: Mapping[str, Mapping[str, Any]]


async def fill(database: asyncpg.Connection, tenant_id: TenantId, rows: int) -> Log:
    """`database` is a connection of the app's role. The rare events come first, so they are on the last page."""
    incident, actor, entries = new_id(), new_id(), [new_id() for _ in range(ENTRIES)]
    began = int(time.time() * 1000) - rows
    async with database.transaction():
        await database.execute("SELECT set_config('app.tenant_id', $1, true)", str(tenant_id))
        given = (tenant_id, began, rows, RARE, actor, entries, ENTRIES * EVENTS_OF_ENTRY)
        for first in range(1, rows + 1, _BATCH):
            await database.execute(_EVENTS, *given, first, min(first + _BATCH - 1, rows))
        await database.execute(_REVISIONS, tenant_id, incident, entries)
    filters: dict[str, dict[str, Any]] = {
        _ALL: {},
        "common action": {"action": "vital.revised"},
        "rare action": {"action": "user.disabled"},
        "absent action": {"action": "user.restored"},
        "rare kind": {"entity_type": "user"},
        "rare person": {"actor_user_id": actor},
        "entity": {"entity_id": entries[0]},
        "chart": {"incident_id": incident},
    }
    return Log(tenant_id, filters)


async def _measure(environment: Mapping[str, str], rows: int, reads: int) -> Summary:
    settings = Settings.model_validate({name.lower(): value for name, value in environment.items()})
    medic = await found_agency(settings)
    owner = await asyncpg.connect(dsn_of(environment["MIGRATION_DATABASE_URL"]))
    app = await asyncpg.connect(dsn_of(environment["DATABASE_URL"]))
    runtime = build_runtime(settings, COMPOSITION)
    try:
        tenant_id = TenantId(await owner.fetchval("SELECT id FROM tenants WHERE slug = $1", medic.tenant_slug))
        log = await fill(app, tenant_id, rows)
        await owner.execute("ANALYZE audit_events, chart_revisions")
        took: dict[str, list[float]] = {name: [] for name in log.filters}
        found: dict[str, int] = {}
        reader = Principal(tenant_id, Role.ADMIN, user_id=UserId(new_id()))
        for _ in range(reads + 1):  # the first one plans
            for name, query in log.filters.items():
                async with runtime.read_unit_of_work(reader) as uow:
                    started = time.perf_counter()
                    page = await AuditEventRepository(uow).list_page(tenant_id, limit=PAGE, **query)
                    took[name].append((time.perf_counter() - started) * 1e3)
                    found[name] = len(page)
    finally:
        await runtime.close()
        await app.close()
        await owner.close()
    base = statistics.median(took[_ALL][1:])
    return {
        name: {
            "rows": found[name],
            "p50 ms": round(statistics.median(each[1:]), 2),
            "ratio": round(statistics.median(each[1:]) / base, 2),
        }
        for name, each in took.items()
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.audit", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000, help="events of the log")
    parser.add_argument("--reads", type=int, default=20, help="pages of each filter")
    parser.add_argument("--json", action="store_true", help="instead of the table")
    given = parser.parse_args(arguments)
    try:
        with scratch_database() as dsns:
            environment = {**dsns, "ENVIRONMENT": "test", "PASSWORD_ROUNDS": "4"}
            summary = asyncio.run(_measure(environment, given.rows, given.reads))
    except _CANNOT_MEASURE as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    print(orjson.dumps(summary).decode() if given.json else table(summary))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
