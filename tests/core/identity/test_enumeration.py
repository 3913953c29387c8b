"""Nobody learns from a sign-in whether an account exists: one body, one amount of work, whatever was wrong."""

from __future__ import annotations

import uuid

import asyncpg
import httpx
import pytest

from app.core.auth.passwords import PasswordHasher
from tests.core.evidence import audit_of, checksum
from tests.core.http.contract import expect_refusal
from tests.core.identity.people import STRONG, act_on, credentials, email_of, id_of, invite
from tests.support.actors import Agency


async def wrong_logins(agency: Agency) -> dict[str, dict[str, str]]:
    """What is refused: for the locked and the disabled user although the password is right."""
    await invite(agency, "invited")
    for name, action in (("partner", "lock"), ("biller", "disable")):
        await act_on(agency, await id_of(agency, name), action)
    founder = await id_of(agency, "founder")
    await agency.admin.expect(204, "DELETE", f"users/{founder}", params={"version": 1})
    return {
        "unknown agency": {**credentials(agency, "medic"), "tenant_slug": f"no-{uuid.uuid4().hex}"},
        "unknown user": {**credentials(agency, "medic"), "email": f"{uuid.uuid4().hex}@nowhere.example"},
        "another agency's password": {**credentials(agency, "medic"), "password": agency.passwords[_admin(agency)]},
        "wrong password": credentials(agency, "medic", "wrong"),
        "invited": credentials(agency, "invited", STRONG),
        "locked": credentials(agency, "partner"),
        "disabled": credentials(agency, "biller"),
        "deleted": credentials(agency, "founder"),
        "longer than bcrypt reads": credentials(agency, "medic", "é" * 72),
    }


def _admin(agency: Agency) -> str:
    return email_of(agency, "admin")


async def test_every_failure_has_the_same_status_headers_and_body(
    client: httpx.AsyncClient, agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    logins = await wrong_logins(agency)
    before = await checksum(admin_connection, agency.tenant_id)
    seen = set()
    for login in logins.values():
        answer = await client.post("/api/v1/auth/login", json=login)
        expect_refusal(answer, 401, "UNAUTHENTICATED")
        own = {"x-request-id", "date"}
        headers = tuple(sorted((name, value) for name, value in answer.headers.items() if name not in own))
        seen.add((str(answer.json()["error"] | {"trace_id": ""}), headers))
    assert len(seen) == 1
    after = await checksum(admin_connection, agency.tenant_id)
    assert {table for table in after if after[table] != before[table]} == {"audit_events"}


async def test_every_failure_costs_one_comparison(
    client: httpx.AsyncClient, agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = 0
    verify = PasswordHasher.verify

    async def counting(self: PasswordHasher, password: str, stored: str | None) -> bool:
        nonlocal compared
        compared += 1
        return await verify(self, password, stored)

    logins = await wrong_logins(agency)
    monkeypatch.setattr(PasswordHasher, "verify", counting)
    for number, login in enumerate(logins.values(), 1):
        await client.post("/api/v1/auth/login", json=login)
        assert compared == number


async def test_every_attempt_on_a_known_agency_is_audited(
    client: httpx.AsyncClient, agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    medic = uuid.UUID(await id_of(agency, "medic"))
    unknown = {**credentials(agency, "medic"), "email": "nobody@nowhere.example"}
    for login in (unknown, credentials(agency, "medic", "wrong"), credentials(agency, "medic")):
        await client.post("/api/v1/auth/login", json=login)
    mine = [(row["action"], row["actor_user_id"]) for row in await audit_of(admin_connection, medic)]
    assert mine[-2:] == [("user.login_failed", None), ("user.logged_in", medic)]
    on_tenant = [row["action"] for row in await audit_of(admin_connection, agency.tenant_id)]
    assert on_tenant[-1] == "user.login_failed"
    everything = str(await audit_of(admin_connection, agency.tenant_id)) + str(await audit_of(admin_connection, medic))
    assert "nobody@nowhere" not in everything
