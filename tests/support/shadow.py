"""Shadow triggers: a second, independent record of every row change, to hold the audit log against."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from app.core.db.columns import Sensitivity
from app.core.db.entity import Base, TenantEntity
from app.core.db.plan import EntityPlan, plan_of

# Rows that the system writes before a tenant is known, and rows whose tenant is null.
_NOT_WATCHED = {"webhook_receipts"}
_BOOKKEEPING = {"version", "updated_at", "created_at"}
# The database copies these counts from claim_scrubs. That table is the record of them, and nobody can change its rows.
_COPIED = {"blocking_edits", "warning_edits"}
_INSTALL = """
CREATE SCHEMA IF NOT EXISTS shadow;
CREATE TABLE IF NOT EXISTS shadow.changes (
  seq bigint GENERATED ALWAYS AS IDENTITY, relation text NOT NULL, entity_id uuid NOT NULL, tenant_id uuid NOT NULL,
  before jsonb, after jsonb);
CREATE OR REPLACE FUNCTION shadow.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO shadow.changes (relation, entity_id, tenant_id, before, after)
  VALUES (TG_TABLE_NAME, coalesce(NEW.id, OLD.id), coalesce(NEW.tenant_id, OLD.tenant_id),
          CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
  RETURN NULL;
END $$;
"""


@dataclass(frozen=True)
class RowChange:
    """One row as it was and as it became; None where it was not there."""

    entity_type: str
    entity_id: Any
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def _plans() -> dict[str, EntityPlan[Any]]:
    entities = [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, TenantEntity)]
    plans = {entity.__tablename__: plan_of(entity) for entity in entities if entity.metadata is Base.metadata}
    return {table: plan for table, plan in plans.items() if table not in _NOT_WATCHED}


class Shadow:
    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._plans = _plans()

    async def changes(self, tenant_id: Any) -> list[RowChange]:
        """Every row change of the tenant since the triggers were set, in order."""
        rows = await self._connection.fetch("SELECT * FROM shadow.changes WHERE tenant_id = $1 ORDER BY seq", tenant_id)
        return [
            RowChange(
                self._plans[row["relation"]].entity_type,
                row["entity_id"],
                None if row["before"] is None else orjson.loads(row["before"]),
                None if row["after"] is None else orjson.loads(row["after"]),
            )
            for row in rows
        ]

    async def disagreements(self, tenant_id: Any) -> list[str]:
        """Where the audit log does not tell exactly what happened to the rows."""
        happened: dict[Any, list[RowChange]] = defaultdict(list)
        for change in await self.changes(tenant_id):
            if not _is_copy(change):
                happened[change.entity_id].append(change)
        told: dict[Any, list[Any]] = defaultdict(list)
        for event in await self._connection.fetch(
            "SELECT * FROM audit_events WHERE tenant_id = $1"
            " AND (changed_fields_json <> '{}' OR entity_type = ANY($2::text[])) ORDER BY created_at, id",
            tenant_id,
            self._mute(),
        ):
            told[event["entity_id"]].append(event)
        found = []
        for entity_id in happened.keys() | told.keys():
            changes, events = happened[entity_id], told[entity_id]
            if len(changes) != len(events):
                kind = changes[0].entity_type if changes else events[0]["entity_type"]
                found.append(f"{kind} {entity_id}: {len(changes)} changes, {len(events)} events")
                continue
            for change, event in zip(changes, events, strict=True):
                found += [f"{event['action']} {entity_id}: {problem}" for problem in self._compared(change, event)]
        return found

    def _mute(self) -> list[str]:
        """The entities that only join others: the events of their changes name no field."""
        inner = {Sensitivity.INTERNAL}
        return [
            plan.entity_type
            for plan in self._plans.values()
            if {column.info.get("sensitivity") for column in plan.table.c} == inner
        ]

    def _compared(self, change: RowChange, event: Any) -> list[str]:
        if change.entity_type != event["entity_type"]:
            return [f"is about a {change.entity_type}, not a {event['entity_type']}"]
        plan = next(plan for plan in self._plans.values() if plan.entity_type == change.entity_type)
        fields = orjson.loads(event["changed_fields_json"])
        before, after = change.before or {}, change.after or {}
        changed = {key for key in plan.mutable if key not in _BOOKKEEPING and before.get(key) != after.get(key)}
        if change.before is None:
            changed = {key for key in changed if after.get(key) is not None}
        refined = {column.key for column in plan.table.c if "diff" in column.info}
        named = {field.partition(".")[0] for field in fields}
        problems = [f"says nothing of {sorted(changed - named - _empty(plan, after))}"] * bool(
            changed - named - _empty(plan, after)
        )
        problems += [f"tells of {sorted(named - changed)}, which did not change"] * bool(named - changed)
        for field, (old, new) in fields.items():
            if field in refined or "." in field:
                continue
            if plan.table.c[field].info["sensitivity"] in (Sensitivity.PHI, Sensitivity.SECRET):
                shown = [None if value is None else "digest:" for value in (before.get(field), after.get(field))]
                if [value if value is None else value[:7] for value in (old, new)] != shown or (old == new):
                    problems.append(f"{field} is not told as a change of digests")
            elif [_plain(old), _plain(new)] != [_plain(before.get(field)), _plain(after.get(field))]:
                problems.append(f"{field} is told wrongly")
        return problems


def _is_copy(change: RowChange) -> bool:
    """True if nothing but copied columns differ."""
    before, after = change.before, change.after
    if before is None or after is None:
        return False
    return before != after and all(before[key] == after[key] for key in after.keys() - _COPIED)


def _empty(plan: EntityPlan[Any], after: dict[str, Any]) -> set[str]:
    """A refined JSON column that is created empty has nothing to tell."""
    return {column.key for column in plan.table.c if "diff" in column.info and not after.get(column.key)}


def _plain(value: Any) -> Any:
    """A value as both records write it: numbers, and times without their notation."""
    if isinstance(value, str):
        return value.replace("Z", "+00:00").replace(" ", "T").replace("+00:00", "").rstrip("0").rstrip(".")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value).rstrip("0").rstrip(".")
    return value


@contextlib.asynccontextmanager
async def shadowed(connection: asyncpg.Connection) -> AsyncIterator[Shadow]:
    """Triggers on every table of an entity for as long as the context lasts."""
    await connection.execute(_INSTALL)
    await connection.execute("TRUNCATE shadow.changes")
    tables = list(_plans())
    for table in tables:
        await connection.execute(
            f"CREATE TRIGGER shadow AFTER INSERT OR UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION shadow.note()"
        )
    try:
        yield Shadow(connection)
    finally:
        for table in tables:
            await connection.execute(f"DROP TRIGGER shadow ON {table}")
