"""What a superuser sees of a chart: its records, and a digest that proves that nothing happened."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

ENTITY_TABLES = (
    "incidents", "patients", "vitals", "interventions", "narratives", "element_groups", "crew_members", "attachments",
    "signatures",
)  # fmt: skip
ENTITY_TYPES = (
    "incident", "patient", "vital", "intervention", "narrative", "element_group", "crew_member", "attachment",
    "signature", "chart_amendment", "chart_review", "review_comment", "late_entry",
)  # fmt: skip
_BESIDE = ("chart_amendments", "chart_reviews", "review_comments", "late_entries")
_TENANT_TABLES = (*ENTITY_TABLES, *_BESIDE, "chart_revisions", "outbox_events", "idempotency_keys")
_DIGEST = " || ".join(
    [
        f"coalesce((SELECT md5(string_agg(t::text, '|' ORDER BY t.id)) FROM {table} AS t WHERE tenant_id = $1), '-')"
        for table in _TENANT_TABLES
    ]
    + [
        "(SELECT count(*)::text FROM audit_events WHERE tenant_id = $1 AND entity_type = ANY($2))",
        "(SELECT count(*)::text FROM pgqueuer"
        " WHERE entrypoint = 'ems.auto_lock' AND convert_from(payload, 'UTF8')::json ->> 'tenant_id' = $1::uuid::text)",
    ]
)


@dataclass(frozen=True)
class Records:
    """The audit events, outbox events and revisions of one entity, oldest first, JSON decoded."""

    audit: list[dict[str, Any]]
    outbox: list[dict[str, Any]]
    revisions: list[dict[str, Any]]

    def counts(self) -> tuple[int, int, int]:
        return len(self.audit), len(self.outbox), len(self.revisions)


class Evidence:
    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def digest(self, tenant_id: uuid.UUID) -> str:
        """Of every chart row, record and job of the agency: equal before and after means that nothing happened."""
        return str(await self.connection.fetchval(f"SELECT {_DIGEST}", tenant_id, list(ENTITY_TYPES)))

    async def records(self, entity_id: str) -> Records:
        return Records(
            await self._rows("SELECT * FROM audit_events WHERE entity_id = $1::text::uuid ORDER BY id", entity_id),
            await self._rows(
                "SELECT * FROM outbox_events WHERE payload ->> 'entity_id' = $1 ORDER BY sequence", entity_id
            ),
            await self._rows(
                "SELECT * FROM chart_revisions WHERE entity_id = $1::text::uuid ORDER BY version", entity_id
            ),
        )

    async def trails(self, ids: list[str]) -> dict[str, tuple[list[str], list[tuple[int, str]], list[int]]]:
        """By entity, oldest first: verbs of its audit events, (version, verb) of its outbox events, its revisions."""
        found: dict[str, tuple[list[str], list[tuple[int, str]], list[int]]] = {one: ([], [], []) for one in ids}
        audited = "SELECT entity_id, action FROM audit_events WHERE entity_id = ANY($1::text[]::uuid[]) ORDER BY id"
        for row in await self.connection.fetch(audited, ids):
            found[str(row[0])][0].append(row[1].rpartition(".")[2])
        published = (
            "SELECT payload ->> 'entity_id', (payload ->> 'version')::int, payload ->> 'action'"
            " FROM outbox_events WHERE payload ->> 'entity_id' = ANY($1::text[]) ORDER BY sequence"
        )
        for row in await self.connection.fetch(published, ids):
            found[row[0]][1].append((row[1], row[2].rpartition(".")[2]))
        revised = (
            "SELECT entity_id, version FROM chart_revisions WHERE entity_id = ANY($1::text[]::uuid[]) ORDER BY version"
        )
        for row in await self.connection.fetch(revised, ids):
            found[str(row[0])][2].append(row[1])
        return found

    async def amendments_of_chart(self, incident_id: str) -> list[asyncpg.Record]:
        """Oldest first."""
        query = "SELECT * FROM chart_amendments WHERE incident_id = $1::text::uuid ORDER BY id"
        found: list[asyncpg.Record] = await self.connection.fetch(query, incident_id)
        return found

    async def amendments(self, entity_id: str) -> list[dict[str, Any]]:
        """Of one entity, oldest first."""
        return await self._rows(
            "SELECT * FROM chart_amendments WHERE entity_id = $1::text::uuid ORDER BY entity_version", entity_id
        )

    async def jobs(self, incident_id: str) -> list[dict[str, Any]]:
        """Queued jobs about an incident, oldest first."""
        query = (
            "SELECT entrypoint, execute_after - created AS delay, convert_from(payload, 'UTF8') AS payload"
            " FROM pgqueuer WHERE entrypoint = 'ems.auto_lock'"
            " AND convert_from(payload, 'UTF8')::json ->> 'incident_id' = $1 ORDER BY id"
        )
        return await self._rows(query, entity_id=incident_id)

    async def text(self, tenant_id: uuid.UUID) -> str:
        """All audit and outbox content of the agency as one text, to search for what must not be there."""
        query = (
            "SELECT string_agg(content, ' ') FROM ("
            " SELECT changed_fields_json::text || coalesce(metadata_json::text, '') AS content"
            " FROM audit_events WHERE tenant_id = $1"
            " UNION ALL SELECT payload::text FROM outbox_events WHERE tenant_id = $1) AS contents"
        )
        return str(await self.connection.fetchval(query, tenant_id))

    async def _rows(self, query: str, entity_id: str) -> list[dict[str, Any]]:
        found = []
        for row in await self.connection.fetch(query, entity_id):
            values = dict(row)
            for name in ("changed_fields_json", "metadata_json", "payload", "snapshot"):
                if isinstance(values.get(name), str):
                    values[name] = orjson.loads(values[name])
            found.append(values)
        return found
