"""External API keys: they open what their scopes say, in their agency, until they are revoked or expire."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import uuid
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from fastapi import FastAPI

from app import registry
from app.core.config import Settings
from app.core.extensions import api_keys
from app.core.extensions.api_keys import key_hash, new_key
from app.core.keys import Keyring
from app.core.permissions import Role
from app.core.runtime import Runtime
from tests.architecture.routes import Operation, operations
from tests.core.evidence import audit_of, checksum
from tests.core.http.contract import expect_refusal
from tests.core.reference.records import API_KEY
from tests.support.actors import Actor, Agency, found_agency

WRITES = {"vehicle.write", "facility.write", "personnel.write", "extension.write"}


async def key_of(agency: Agency, *scopes: str, **fields: Any) -> tuple[Actor, dict[str, Any]]:
    made = await API_KEY.add(agency.admin, scopes=list(scopes), **fields)
    return Actor(agency.admin.client, made["secret"]), made


async def access_of(connection: asyncpg.Connection, key: dict[str, Any]) -> list[Any]:
    return list(
        await connection.fetch(
            "SELECT * FROM access_log WHERE actor_user_id = $1 ORDER BY id", uuid.UUID(str(key["id"]))
        )
    )


async def a_chart(agency: Agency) -> str:
    incident = await agency.medic.expect(201, "POST", "ems/incidents", json={"incident_number": uuid.uuid4().hex[:12]})
    body = {"last_name": "Rivers", "first_name": "Ana"}
    await agency.medic.expect(201, "POST", f"ems/incidents/{incident['id']}/patients", json=body)
    return str(incident["id"])


async def test_key_reads_what_its_scope_names_and_the_logs_name_the_key(
    agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    incident_id = await a_chart(agency)
    system, key = await key_of(agency, "chart.read")
    chart = await system.expect(200, "GET", f"ems/incidents/{incident_id}/chart")
    assert chart["patients"][0]["last_name"] == "Rivers"
    assert chart["incident"]["allowed_actions"] == []
    [shown] = await access_of(admin_connection, key)
    assert (shown["actor_role"], shown["purpose"], str(shown["incident_id"])) == ("key", "operations", incident_id)
    [listed] = (await agency.admin.expect(200, "GET", "audit/access-log", params={"actor_user_id": key["id"]}))["items"]
    assert listed["actor_user_id"] == key["id"]


async def test_key_writes_what_its_scope_names_and_the_audit_names_the_key(
    agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    fleet, key = await key_of(agency, "vehicle.read", "vehicle.write")
    body = {"unit_number": "M-9", "vehicle_type": "1404001", "capability": "2207015"}
    vehicle = await fleet.expect(201, "POST", "tenants/current/vehicles", json=body)
    [event] = await audit_of(admin_connection, vehicle["id"])
    assert (event["action"], str(event["actor_user_id"])) == ("vehicle.created", key["id"])
    assert (await fleet.expect(200, "GET", f"tenants/current/vehicles/{vehicle['id']}"))["unit_number"] == "M-9"


async def test_key_opens_nothing_else(app: FastAPI, agency: Agency, admin_connection: asyncpg.Connection) -> None:
    """Every operation that another permission guards is refused, and each refusal is recorded about the key."""
    system, key = await key_of(agency, "coding.read")
    await system.expect(200, "GET", "coding/icd10", params={"q": "chest pain"})
    guarded = [operation for operation in operations(app) if not operation.public]
    before = await without_audit(admin_connection, agency)
    refused = 0
    for operation in guarded:
        [permission] = operation.permissions
        if permission.name != "coding.read":
            await expect_forbidden(system, operation)
            refused += 1
    assert refused > 100
    assert await without_audit(admin_connection, agency) == before
    rows = await admin_connection.fetch(
        "SELECT entity_type, entity_id, actor_user_id, metadata_json FROM audit_events"
        " WHERE tenant_id = $1 AND action = 'access.denied'",
        agency.tenant_id,
    )
    assert len(rows) == refused
    assert {(row["entity_type"], str(row["entity_id"]), str(row["actor_user_id"])) for row in rows} == {
        ("external_api_key", key["id"], key["id"])
    }
    assert "user.read" in {orjson.loads(row["metadata_json"])["permission"] for row in rows}


async def expect_forbidden(system: Actor, operation: Operation) -> None:
    body: dict[str, Any] = {"json": {}} if operation.method in ("POST", "PUT", "PATCH") else {}
    answer = await system.request(operation.method, operation.address(), **body)
    expect_refusal(answer, 403, "FORBIDDEN")


async def without_audit(connection: asyncpg.Connection, agency: Agency) -> dict[str, tuple[int, str]]:
    found = await checksum(connection, agency.tenant_id)
    return {table: rows for table, rows in found.items() if table != "audit_events"}


@pytest.mark.parametrize("lowered", ["nemsis.export", "user.write", "everything", 7, None])
async def test_scope_that_no_key_may_carry_opens_nothing_even_if_it_is_stored(
    agency: Agency, admin_connection: asyncpg.Connection, lowered: Any
) -> None:
    system, key = await key_of(agency, "vehicle.read")
    await admin_connection.execute(
        "UPDATE external_api_keys SET scopes = $2 WHERE id = $1", uuid.UUID(key["id"]), orjson.dumps([lowered]).decode()
    )
    for path in ("users", "tenants/current/vehicles"):
        expect_refusal(await system.get(path), 403, "FORBIDDEN")


def test_scopes_that_may_be_granted() -> None:
    """A key is nobody: it has no account, reviews nothing, issues no keys, and writes no charts or claims."""
    granted = {permission.name for permission in registry.PERMISSIONS if Role.KEY in permission.roles}
    assert {name for name in granted if not name.endswith(".read")} == WRITES | {"claim.clinical", "nemsis.export"}
    assert not granted & {"self.read", "user.read", "audit.read", "secret.read", "integration.read"}
    assert "patient_identifiers.read" not in granted
    for permission in registry.PERMISSIONS:
        assert Role.KEY not in permission.roles or Role.ADMIN in permission.roles, "issuers hold what they issue"


async def test_key_is_of_its_agency(client: httpx.AsyncClient, agency: Agency, settings: Settings) -> None:
    rival = await found_agency(client, settings)
    incident_id = await a_chart(rival)
    system, _ = await key_of(agency, "chart.read")
    expect_refusal(await system.get(f"ems/incidents/{incident_id}"), 404, "NOT_FOUND")
    assert (await system.expect(200, "GET", "ems/incidents"))["items"] == []


async def test_revoked_key_is_refused_at_once(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    system, key = await key_of(agency, "vehicle.read")
    await system.expect(200, "GET", "tenants/current/vehicles")
    await agency.admin.expect(204, "DELETE", f"{API_KEY.path}/{key['id']}", params={"version": 2})
    before = await checksum(admin_connection, agency.tenant_id)
    expect_refusal(await system.get("tenants/current/vehicles"), 401, "UNAUTHENTICATED")
    assert await checksum(admin_connection, agency.tenant_id) == before


async def test_key_that_is_revoked_while_its_first_use_is_recorded_opens_nothing(
    agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    for _ in range(5):
        system, key = await key_of(agency, "vehicle.read")
        path = f"{API_KEY.path}/{key['id']}"
        used, revoked = await asyncio.gather(
            system.get("tenants/current/vehicles"), agency.admin.delete(path, params={"version": 1})
        )
        assert used.status_code in (200, 401) and revoked.status_code in (204, 409)
        actions = [event["action"] for event in await audit_of(admin_connection, key["id"])]
        if revoked.status_code == 409:
            await agency.admin.expect(204, "DELETE", path, params={"version": 2})
            assert actions[1:] == ["external_api_key.used"]
        expect_refusal(await system.get("tenants/current/vehicles"), 401, "UNAUTHENTICATED")


async def test_key_is_refused_from_its_end_on(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    system, key = await key_of(agency, "vehicle.read", expires_at=end.isoformat())
    assert dt.datetime.fromisoformat(key["expires_at"]) == end
    await system.expect(200, "GET", "tenants/current/vehicles")
    await admin_connection.execute(
        "UPDATE external_api_keys SET expires_at = now() WHERE id = $1", uuid.UUID(key["id"])
    )
    expect_refusal(await system.get("tenants/current/vehicles"), 401, "UNAUTHENTICATED")


async def test_first_use_of_a_day_is_recorded_once(
    agency: Agency, admin_connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, key = await key_of(agency, "vehicle.read")
    assert key["last_used_on"] is None
    for answer in await asyncio.gather(*(system.get("tenants/current/vehicles") for _ in range(5))):
        assert answer.status_code == 200
    shown = await agency.admin.expect(200, "GET", f"{API_KEY.path}/{key['id']}")
    assert shown["last_used_on"] == dt.datetime.now(dt.UTC).date().isoformat()
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    monkeypatch.setattr(api_keys, "utcnow", lambda: tomorrow)
    for _ in range(2):
        await system.expect(200, "GET", "tenants/current/vehicles")
    events = await audit_of(admin_connection, key["id"])
    assert [event["action"] for event in events] == ["external_api_key.created", *["external_api_key.used"] * 2]
    assert {str(event["actor_user_id"]) for event in events[1:]} == {key["id"]}


@pytest.mark.parametrize("spoil", ["", "x", "=" * 43, "A" * 43, "A" * 42, "A" * 44, "A" * 2000])
async def test_forged_key_is_refused_without_a_question_to_the_database(
    agency: Agency, admin_connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    async def ask(*_: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(api_keys, "get_cross_tenant_for_admin_only_by_key_hash", ask)
    before = await checksum(admin_connection, agency.tenant_id)
    forged = Actor(agency.admin.client, f"fqk_{spoil}")
    expect_refusal(await forged.get("tenants/current/vehicles"), 401, "UNAUTHENTICATED")
    assert await checksum(admin_connection, agency.tenant_id) == before


async def test_key_of_another_installation_or_of_before_keys_opened_anything_is_refused(
    agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    _, key = await key_of(agency, "vehicle.read")
    foreign, _columns = new_key(Keyring(b"k" * 32).seal)
    await admin_connection.execute(
        "UPDATE external_api_keys SET secret_hash = $2 WHERE id = $1",
        uuid.UUID(key["id"]),
        hashlib.sha256(foreign.encode()).hexdigest(),
    )
    refused = await Actor(agency.admin.client, foreign).get("tenants/current/vehicles")
    expect_refusal(refused, 401, "UNAUTHENTICATED")


async def test_key_of_ours_that_nobody_holds_is_refused(agency: Agency, runtime: Runtime) -> None:
    unknown, columns = new_key(runtime.keys.seal)
    assert columns["secret_hash"] == key_hash(unknown) and unknown.startswith(columns["prefix"])
    refused = await Actor(agency.admin.client, unknown).get("tenants/current/vehicles")
    expect_refusal(refused, 401, "UNAUTHENTICATED")


async def test_key_of_a_suspended_agency_is_refused(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    system, _ = await key_of(agency, "vehicle.read")
    await system.expect(200, "GET", "tenants/current/vehicles")
    await admin_connection.execute("UPDATE tenants SET status = 'suspended' WHERE id = $1", agency.tenant_id)
    await runtime.gate.load()
    expect_refusal(await system.get("tenants/current/vehicles"), 403, "TENANT_SUSPENDED")
