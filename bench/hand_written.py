"""(a) The autosave as one endpoint by hand on asyncpg: what the kernel's abstraction is measured against.

It gives every guarantee of the real route and stores the same rows, which `bench.equivalence` proves in each run. Only
vehicles and facilities cannot be picked here. The service cannot be written like this, because nothing here can be used
by a second entity.
"""

from __future__ import annotations

import asyncio
import uuid
from types import SimpleNamespace
from typing import Any

import asyncpg
import orjson
from fastapi import Request

from app.core.context import current_request_id
from app.core.db.columns import Digest
from app.core.db.plan import plan_of
from app.core.db.sql import dump_json
from app.core.dependencies import CurrentUser, runtime_of
from app.core.errors import Conflict, NotFound, ServiceUnavailable
from app.core.ids import new_id
from app.core.permissions import Principal
from app.ems.chart.columns import element_diff
from app.ems.chart.gate import check_entry_elements, require_consistent
from app.ems.elements import from_json, merge, to_json
from app.ems.errors import ChartNotEditable
from app.ems.incidents.models import Incident
from app.ems.incidents.schemas import IncidentPatch, IncidentRead
from app.ems.lifecycle import EDITABLE, IncidentStatus, incident_lifecycle
from app.ems.permissions import CHART_AMEND, CHART_WRITE

_READ = """
SELECT id, tenant_id, created_by, authors, submitted_by, status, incident_number, vehicle_id, vehicle, dispatch_time,
  enroute_time, arrival_time, depart_scene_time, arrived_destination_time, cleared_time, location_type,
  location_street, location_unit, location_city, location_state, location_zip, location_county, location_country,
  location_latitude, location_longitude, origin_facility_id, origin_facility, destination_facility_id,
  destination_facility, disposition, primary_impression, completed_at, elements, version, created_at, updated_at,
  deleted_at
FROM incidents WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL
"""
_WRITE = """
WITH written AS (
  UPDATE incidents SET {assignments}, version = version + 1, updated_at = now()
  WHERE tenant_id = $1 AND id = $2 AND version = $3 RETURNING *
), audited AS (
  INSERT INTO audit_events (id, tenant_id, actor_user_id, entity_type, entity_id, action, changed_fields_json,
    metadata_json, request_id)
  SELECT $4, $1, $5, 'incident', $2, $6, $7, $8, $9 FROM written
), published AS (
  INSERT INTO outbox_events (id, tenant_id, topic, aggregate_id, payload)
  SELECT $10, $1, 'incident.updated', $2, $11 FROM written
), revised AS (
  INSERT INTO chart_revisions (id, tenant_id, incident_id, entity, entity_id, version, snapshot)
  SELECT $12, $1, $2, 'incident', $2, version, to_jsonb(written) FROM written
)
SELECT version, updated_at FROM written
"""
_PHI = frozenset({"location_street", "location_unit", "location_zip", "location_latitude", "location_longitude"})
_statements: dict[tuple[str, ...], str] = {}


async def create_pool(dsn: str, size: int) -> asyncpg.Pool:
    """A pool of as many connections as the service has.

    A connection is not reset on its return, since the endpoint ends what it began.
    """

    async def keep(_: Any) -> None:
        return

    async def configure(connection: Any) -> None:
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=dump_json, decoder=orjson.loads, format="text"
        )

    return await asyncpg.create_pool(dsn, min_size=size, max_size=size, init=configure, reset=keep)


async def save_by_hand(
    incident_id: uuid.UUID, patch: IncidentPatch, principal: CurrentUser, request: Request
) -> IncidentRead:
    """This route answers a PATCH as the real route does."""
    principal.require(CHART_WRITE)
    async with request.app.state.hand_written_pool.acquire() as connection:
        try:
            await connection.execute(f"BEGIN;SELECT set_config('app.tenant_id','{principal.tenant_id}',true)")
            digest = runtime_of(request).keys.value_digest(principal.tenant_id, incident_id)
            row = await _save(connection, incident_id, patch, principal, digest)
            status = await connection.execute("COMMIT")
        except BaseException:
            await asyncio.shield(connection.execute("ROLLBACK"))
            raise
    if status != "COMMIT":
        raise ServiceUnavailable("The change could not be stored; try again.")
    on_publish = runtime_of(request).on_publish
    if on_publish is not None:
        on_publish()
    row["allowed_actions"] = incident_lifecycle.allowed_actions(SimpleNamespace(**row), principal)
    return IncidentRead.model_validate(row)


async def _save(
    connection: Any, incident_id: uuid.UUID, patch: IncidentPatch, principal: Principal, digest: Digest
) -> dict[str, Any]:
    found = await connection.fetchrow(_READ, principal.tenant_id, incident_id)
    if found is None:
        raise NotFound
    row: dict[str, Any] = dict(found)
    row["status"] = status = IncidentStatus(row["status"])
    if status not in EDITABLE and not (
        status is IncidentStatus.COMPLETED and patch.reason is not None and CHART_AMEND.held_by(principal)
    ):
        raise ChartNotEditable(status=status.value)
    if row["version"] != patch.version:
        raise Conflict.stale(row["version"], row["updated_at"])
    changes, fields = _difference(row, patch, digest)
    if not changes:
        return row
    row.update(changes)
    payload = {
        "entity_type": "incident",
        "entity_id": incident_id,
        "version": patch.version + 1,
        "action": "incident.revised" if status is not IncidentStatus.COMPLETED else "incident.amended",
        "changed": list(changes),
        "status": status,
    }
    written = await connection.fetchrow(
        _statement(tuple(changes)),
        principal.tenant_id,
        incident_id,
        patch.version,
        new_id(),
        principal.user_id,
        payload["action"],
        fields,
        None if patch.reason is None else {"reason": patch.reason},
        current_request_id(),
        new_id(),
        payload,
        new_id(),
        *changes.values(),
    )
    if written is None:
        current = await connection.fetchrow(_READ, principal.tenant_id, incident_id)
        raise NotFound if current is None else Conflict.stale(current["version"], current["updated_at"])
    row["version"], row["updated_at"] = written
    return row


def _difference(row: dict[str, Any], patch: IncidentPatch, digest: Digest) -> tuple[dict[str, Any], dict[str, Any]]:
    """The new values of changed columns, and the audit's view of them."""
    changes = patch.changes()
    elements = row["elements"]
    if "elements" in changes:
        changes["elements"] = to_json(merge(from_json(elements), changes["elements"]))
    revised = plan_of(Incident).build({**row, **changes}.values())
    require_consistent(revised)
    if "elements" in changes or any(Incident.element_columns.get(name) in elements for name in changes):
        check_entry_elements(revised)
    changed: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for name in sorted(changes):
        old, new = row[name], changes[name]
        if old == new:
            continue
        changed[name] = new
        if name == "elements":
            fields.update(element_diff(old, new, digest))
        elif name in _PHI:
            fields[name] = [digest(name, old), digest(name, new)]
        else:
            fields[name] = [old, new]
    return changed, fields


def _statement(changed: tuple[str, ...]) -> str:
    """The UPDATE of a set of changed columns. A write can send no fewer statements than this one."""
    statement = _statements.get(changed)
    if statement is None:
        assignments = ", ".join(f"{name} = ${position}" for position, name in enumerate(changed, start=13))
        statement = _statements[changed] = _WRITE.format(assignments=assignments)
    return statement
