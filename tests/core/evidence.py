"""What a superuser sees: the records that a write left, and a checksum that proves that it left none."""

from __future__ import annotations

import re
import uuid
from typing import Any

import asyncpg
import orjson


class _Digested:
    """Equal to any keyed digest of the audit log."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.fullmatch(r"digest:[0-9a-f]{24}", other) is not None

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "<a digest>"


DIGESTED: Any = _Digested()
_REFUSALS = " AND action <> 'access.denied'"
_TENANT_TABLES = """
SELECT c.oid::regclass::text FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE n.nspname IN ('public', 'probe') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY 1
"""


async def tenant_tables(connection: asyncpg.Connection) -> list[str]:
    """Every table with a tenant_id, partitions aside, from the catalogue."""
    return [row[0] for row in await connection.fetch(_TENANT_TABLES)]


async def one(connection: asyncpg.Connection, query: str, *arguments: Any) -> Any:
    """The one row that must be there."""
    [row] = await connection.fetch(query, *arguments)
    return row


async def checksum(connection: asyncpg.Connection, tenant_id: uuid.UUID) -> dict[str, tuple[int, str]]:
    """Rows and their hash for every tenant table: equal before and after means that nothing happened.

    The access log and the refusals in the audit log are left out: who was shown a chart, or refused, is recorded even
    when nothing changes.
    """
    found = {}
    for table in await tenant_tables(connection):
        if table == "access_log":
            continue
        count, digest = await one(
            connection,
            f"SELECT count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')"
            f" FROM {table} AS t WHERE tenant_id = $1" + (_REFUSALS if table == "audit_events" else ""),
            tenant_id,
        )
        found[table] = (count, digest)
    return found


async def audit_of(connection: asyncpg.Connection, entity_id: uuid.UUID) -> list[dict[str, Any]]:
    """Audit events of one entity, oldest first, JSON decoded."""
    return await _decoded(connection, "SELECT * FROM audit_events WHERE entity_id = $1 ORDER BY id", entity_id)


async def outbox_of(connection: asyncpg.Connection, entity_id: uuid.UUID) -> list[dict[str, Any]]:
    """Outbox events about one entity, in order of publication, JSON decoded."""
    return await _decoded(
        connection, "SELECT * FROM outbox_events WHERE payload->>'entity_id' = $1 ORDER BY sequence", str(entity_id)
    )


async def revisions_of(connection: asyncpg.Connection, entity_id: uuid.UUID) -> list[dict[str, Any]]:
    """Snapshots of one entity by version, JSON decoded."""
    return await _decoded(connection, "SELECT * FROM chart_revisions WHERE entity_id = $1 ORDER BY version", entity_id)


async def _decoded(connection: asyncpg.Connection, query: str, *arguments: Any) -> list[dict[str, Any]]:
    rows = []
    for row in await connection.fetch(query, *arguments):
        values = dict(row)
        for name in ("changed_fields_json", "metadata_json", "payload", "snapshot"):
            if isinstance(values.get(name), str):
                values[name] = orjson.loads(values[name])
        rows.append(values)
    return rows
