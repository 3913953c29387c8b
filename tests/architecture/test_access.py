"""Every operation by everybody: without a token 401, without the permission 403, and in both cases nothing happens."""

from __future__ import annotations

from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from fastapi import FastAPI

from app.core.paths import API_PREFIX
from app.core.permissions import Principal, Role
from tests.architecture.routes import Operation, operations
from tests.core.evidence import checksum
from tests.support.actors import ROLES, Actor, Agency


@pytest.fixture
def guarded(app: FastAPI) -> list[Operation]:
    found = [operation for operation in operations(app) if not operation.public]
    assert found
    return found


LOGOUT = "POST /api/v1/auth/logout"


async def call(actor: Actor, operation: Operation) -> httpx.Response:
    body: dict[str, Any] = {"json": {}} if operation.method in ("POST", "PUT", "PATCH") else {}
    return await actor.request(operation.method, operation.address(), **body)


async def happened(connection: asyncpg.Connection, agency: Agency) -> dict[str, tuple[int, str]]:
    """Everything but the audit log, where readings of the logs and refusals are recorded."""
    found = await checksum(connection, agency.tenant_id)
    return {table: rows for table, rows in found.items() if table != "audit_events"}


async def denied(connection: asyncpg.Connection, agency: Agency) -> list[tuple[str, str | None]]:
    """What people of the agency were refused, in order: method and route, and the permission that was missing."""
    rows = await connection.fetch(
        "SELECT metadata_json FROM audit_events WHERE tenant_id = $1 AND action = 'access.denied' ORDER BY id",
        agency.tenant_id,
    )
    told = [orjson.loads(row[0]) for row in rows]
    return [(f"{event['method']} {API_PREFIX}{event['route']}", event["permission"]) for event in told]


def code_of(answer: httpx.Response) -> str:
    body = answer.json()
    assert set(body) == {"error"} and set(body["error"]) == {"code", "message", "details", "trace_id"}
    return str(body["error"]["code"])


@pytest.mark.parametrize("token", [None, "", "x", "a.b.c"], ids=["none", "empty", "short", "dotted"])
async def test_without_a_token_every_guarded_operation_is_refused(
    guarded: list[Operation],
    agency: Agency,
    anonymous: Actor,
    admin_connection: asyncpg.Connection,
    token: str | None,
) -> None:
    before = await happened(admin_connection, agency)
    actor = Actor(anonymous.client, token)
    for operation in guarded:
        answer = await call(actor, operation)
        assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED"), str(operation)
        assert answer.headers["www-authenticate"] == "Bearer"
    assert await happened(admin_connection, agency) == before


async def test_roles_get_what_their_permissions_say_and_nothing_else(
    guarded: list[Operation], agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    before = await happened(admin_connection, agency)
    refused: list[tuple[str, str | None]] = []
    for name, flags in ROLES.items():
        principal = Principal(agency.tenant_id, Role(flags["role"]), is_reviewer=bool(flags.get("is_reviewer", False)))
        for operation in guarded:
            if str(operation) == LOGOUT:  # everybody may, and nobody could go on: below
                continue
            [permission] = operation.permissions
            answer = await call(agency.actors[name], operation)
            if permission.held_by(principal):
                assert answer.status_code not in (401, 403) and answer.status_code < 500, f"{name}: {operation}"
            else:
                refused.append((str(operation), permission.name))
                assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN"), f"{name}: {operation}"
    assert refused and await denied(admin_connection, agency) == refused
    assert await happened(admin_connection, agency) == before
    [logout] = [operation for operation in guarded if str(operation) == LOGOUT]
    assert {(await call(agency.actors[name], logout)).status_code for name in ROLES} == {204}


async def test_system_role_has_no_tokens(agency: Agency) -> None:
    assert Role.SYSTEM not in {Role(flags["role"]) for flags in ROLES.values()}
    me = await agency.admin.expect(200, "GET", "auth/me")
    assert me["role"] == "admin"
