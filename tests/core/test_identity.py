"""Sign-in, the signed-in user, and the agency's own profile, over HTTP."""

from __future__ import annotations

import asyncpg

from tests.support.actors import Actor, Agency


async def test_me_names_the_user_and_its_permissions(agency: Agency) -> None:
    me = await agency.supervisor.expect(200, "GET", "auth/me")
    assert (me["role"], me["is_reviewer"]) == ("ems", True)
    assert "tenant.write" not in me["permissions"]


async def test_tenant_profile_is_patched_with_version(agency: Agency) -> None:
    before = await agency.admin.expect(200, "GET", "tenants/current")
    after = await agency.admin.expect(
        200, "PATCH", "tenants/current", json={"version": before["version"], "trade_name": "Prairie EMS"}
    )
    assert (after["trade_name"], after["version"]) == ("Prairie EMS", before["version"] + 1)
    stale = await agency.admin.expect(
        409, "PATCH", "tenants/current", json={"version": before["version"], "trade_name": "Other"}
    )
    assert stale["error"]["code"] == "CONFLICT"
    assert stale["error"]["details"]["server_version"] == after["version"]
    assert stale["error"]["details"]["updated_at"].startswith(after["updated_at"][:19])
    await agency.medic.expect(403, "PATCH", "tenants/current", json={"version": 1, "trade_name": "x"})


async def test_login_failures_answer_alike(
    agency: Agency, anonymous: Actor, admin_connection: asyncpg.Connection
) -> None:
    email = f"medic@{agency.slug}.example"
    bodies = []
    for slug, who, password in (
        (agency.slug, email, "wrong"),
        (agency.slug, "nobody@nowhere.example", "wrong"),
        ("no-such-agency", email, "wrong"),
        (agency.slug, email, "é" * 72),
    ):
        answer = await anonymous.post("auth/login", json={"tenant_slug": slug, "email": who, "password": password})
        assert answer.status_code == 401
        error = answer.json()["error"]
        error.pop("trace_id")
        bodies.append(error)
    assert all(body == bodies[0] for body in bodies)
    failed = await admin_connection.fetchval(
        "SELECT count(*) FROM audit_events WHERE tenant_id = $1 AND action = 'user.login_failed'", agency.tenant_id
    )
    assert failed == 3
