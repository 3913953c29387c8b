"""What a superuser sees of an agency's billing: its records, and a digest that proves that nothing happened."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import asyncpg
import orjson

TABLES = (
    "claim_scrubs",
    "advance_notices",
    "billing_account_patients",
    "billing_accounts",
    "certificates",
    "claim_deliveries",
    "claim_derivations",
    "claim_exemptions",
    "claim_exports",
    "claim_lines",
    "claim_overrides",
    "claim_repricings",
    "claims",
    "coverages",
    "fee_schedule_items",
    "fee_schedules",
    "payers",
    "audit_events",
    "outbox_events",
    "idempotency_keys",
)
# Refusals and downloads are recorded even when nothing changes.
_BESIDE = " AND action NOT IN ('access.denied', 'claim_export.downloaded')"
_DIGEST = " || ".join(
    f"coalesce((SELECT count(*) || md5(string_agg(t::text, '|' ORDER BY t.id)) FROM {table} AS t"
    f" WHERE tenant_id = $1{_BESIDE if table == 'audit_events' else ''}), '-')"
    for table in TABLES
)
_ARRANGE = """
UPDATE claims SET status = $2, deleted_at = NULL, submitted_at = now(), paid_at = now(), denial_reason = 'CO-50'
WHERE id = $1 RETURNING version
"""


class Evidence:
    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def digest(self, tenant_id: uuid.UUID) -> str:
        """Of every billing row and every record of the agency: equal before and after means that nothing happened."""
        return str(await self.connection.fetchval(f"SELECT {_DIGEST}", tenant_id))

    async def audit(self, entity_id: str) -> list[dict[str, Any]]:
        """Audit events of one entity, oldest first."""
        return await self._rows("SELECT * FROM audit_events WHERE entity_id = $1::text::uuid ORDER BY id", entity_id)

    async def outbox(self, entity_id: str) -> list[dict[str, Any]]:
        """Events about one entity, in order of publication."""
        query = "SELECT * FROM outbox_events WHERE payload ->> 'entity_id' = $1 ORDER BY sequence"
        return await self._rows(query, entity_id)

    async def row(self, table: str, entity_id: str) -> dict[str, Any]:
        [row] = await self._rows(f"SELECT * FROM {table} WHERE id = $1::text::uuid", entity_id)
        return row

    async def records(self, tenant_id: uuid.UUID) -> str:
        """All audit and outbox content about claims as one text, to search for what must not be there."""
        query = (
            "SELECT string_agg(content, ' ') FROM ("
            " SELECT changed_fields_json::text || coalesce(metadata_json::text, '') AS content"
            " FROM audit_events WHERE tenant_id = $1 AND entity_type LIKE 'claim%'"
            " UNION ALL SELECT payload::text FROM outbox_events WHERE tenant_id = $1) AS contents"
        )
        return str(await self.connection.fetchval(query, tenant_id))

    async def arrange(self, claim: Mapping[str, Any], status: str) -> int:
        """Put a claim into a state without its history, for tests of what follows; its version."""
        version = await self.connection.fetchval(_ARRANGE, uuid.UUID(claim["id"]), status)
        return int(version)

    async def _rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        found = []
        for row in await self.connection.fetch(query, *arguments):
            values = dict(row)
            for name in ("changed_fields_json", "metadata_json", "payload", "diagnoses", "modifiers"):
                if isinstance(values.get(name), str):
                    values[name] = orjson.loads(values[name])
            found.append(values)
        return found
