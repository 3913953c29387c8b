"""A person who was refused is in the audit log: once, by id, with what was asked for and none of what was sent."""

from __future__ import annotations

import uuid
from typing import Any

import asyncpg
import orjson
import pytest

from tests.core.evidence import checksum
from tests.support.actors import Actor, Agency

CANARY = "CANARYquill7731"


async def denials(connection: asyncpg.Connection, agency: Agency) -> list[dict[str, Any]]:
    rows = await connection.fetch(
        "SELECT * FROM audit_events WHERE tenant_id = $1 AND action = 'access.denied' ORDER BY id", agency.tenant_id
    )
    return [{**row, "metadata_json": orjson.loads(row["metadata_json"])} for row in rows]


async def who(actor: Actor) -> uuid.UUID:
    return uuid.UUID((await actor.expect(200, "GET", "auth/me"))["id"])


async def test_a_refused_route_leaves_one_event_and_nothing_else(
    agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    before = await checksum(admin_connection, agency.tenant_id)
    incident_id, request_id = uuid.uuid4(), uuid.uuid4()
    await agency.founder.expect(
        403,
        "PATCH",
        f"ems/incidents/{incident_id}",
        json={"version": 1, "location_street": CANARY},
        headers={"X-Request-ID": str(request_id)},
    )
    [event] = await denials(admin_connection, agency)
    founder = await who(agency.founder)
    assert (event["actor_user_id"], event["entity_type"], event["entity_id"]) == (founder, "user", founder)
    assert (event["request_id"], orjson.loads(event["changed_fields_json"])) == (request_id, {})
    assert event["metadata_json"] == {
        "method": "PATCH",
        "route": "/ems/incidents/{incident_id}",
        "ids": {"incident_id": str(incident_id)},
        "permission": "chart.write",
    }
    assert CANARY not in str(event)
    assert await checksum(admin_connection, agency.tenant_id) == before


async def test_a_refusal_by_a_service_or_a_lifecycle_leaves_its_event_too(
    agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    """The route's permission is held; what was asked for there needs another. The request's own work is undone."""
    body = {"incident_number": "26-000123"}
    chart = await agency.medic.expect(201, "POST", "ems/incidents", json=body)
    before = await checksum(admin_connection, agency.tenant_id)
    address = f"ems/incidents/{chart['id']}"
    await agency.medic.expect(403, "GET", "ems/incidents", params={"include_deleted": True})
    await agency.medic.expect(
        403, "POST", f"{address}/transitions", json={"action": "complete", "version": chart["version"]}
    )
    told = [
        (event["metadata_json"]["method"], event["metadata_json"]["ids"])
        for event in await denials(admin_connection, agency)
    ]
    assert told == [("GET", {}), ("POST", {"incident_id": chart["id"]})]
    assert await checksum(admin_connection, agency.tenant_id) == before


async def test_only_people_are_named(agency: Agency, anonymous: Actor, admin_connection: asyncpg.Connection) -> None:
    await anonymous.expect(401, "GET", "ems/incidents")
    await anonymous.expect(403, "GET", "/api/v1/objects/downloads/1.x.y")
    await agency.medic.expect(404, "GET", f"ems/incidents/{uuid.uuid4()}")
    assert await denials(admin_connection, agency) == []


async def test_what_a_path_holds_beside_ids_is_not_kept(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    await agency.founder.request("PATCH", f"ems/incidents/{CANARY}", json={"version": 1})
    for event in await denials(admin_connection, agency):
        assert event["metadata_json"]["ids"] == {} and CANARY not in str(event)


async def test_a_refusal_that_cannot_be_recorded_is_no_silent_one(
    agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    await admin_connection.execute("REVOKE INSERT ON audit_events FROM fusionems_app")
    try:
        answer = await agency.founder.get("ems/incidents")
    finally:
        await admin_connection.execute("GRANT INSERT ON audit_events TO fusionems_app")
    assert answer.status_code >= 500 and set(answer.json()) == {"error"}
    assert await denials(admin_connection, agency) == []


@pytest.mark.parametrize("path", ["audit/events", "audit/access-log/export"])
async def test_reaching_for_the_logs_is_recorded(
    agency: Agency, admin_connection: asyncpg.Connection, path: str
) -> None:
    await agency.medic.expect(403, "GET", path)
    [event] = await denials(admin_connection, agency)
    assert event["metadata_json"]["permission"] == "audit.read"
