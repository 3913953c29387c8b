"""The operator's scripts: provisioning under the API's rules, suspending and resuming."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from app.core.config import Settings
from app.core.db.uow import UnitOfWork
from app.core.errors import Forbidden
from app.core.permissions import Principal, Role
from app.core.runtime import Runtime
from app.core.tenants.lifecycle import TenantTransition
from app.core.tenants.service import TenantService
from scripts import seed_demo
from scripts.provision_tenant import ProvisioningRefused, provision, read_content
from scripts.suspend_tenant import SuspensionRefused, move, report
from tests.core.evidence import audit_of, checksum, outbox_of
from tests.support.actors import Actor, Agency, profile
from tests.support.database import ROOT, TestDatabase

ADMIN = {"email": "Chief@agency.example", "display_name": "The Chief", "role": "admin"}


def new_slug() -> str:
    return f"p-{uuid.uuid4().hex[:16]}"


async def tenants_of(connection: asyncpg.Connection, slug: str) -> int:
    found: int = await connection.fetchval("SELECT count(*) FROM tenants WHERE slug = $1", slug)
    return found


def run(module: str, *arguments: str, database: TestDatabase, data_dir: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "DATABASE_URL": database.app,
        "SYSTEM_DATABASE_URL": database.system,
        "MIGRATION_DATABASE_URL": database.owner,
        "DATA_DIR": str(data_dir),
        "PASSWORD_ROUNDS": "4",
        "ENVIRONMENT": "test",
    }
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", module, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def test_the_printed_password_signs_in(
    database: TestDatabase, tmp_path: Path, anonymous: Actor, admin_connection: asyncpg.Connection
) -> None:
    slug, file = new_slug(), tmp_path / "profile.json"
    file.write_bytes(orjson.dumps({**profile(slug), "users": [ADMIN]}))
    done = await asyncio.to_thread(run, "scripts.provision_tenant", str(file), database=database, data_dir=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    printed = orjson.loads(done.stdout)
    login = {"tenant_slug": slug, "email": ADMIN["email"], "password": printed["passwords"]["chief@agency.example"]}
    await anonymous.expect(200, "POST", "auth/login", json=login)
    again = await asyncio.to_thread(run, "scripts.provision_tenant", str(file), database=database, data_dir=tmp_path)
    assert again.returncode == 1 and again.stdout == ""
    assert again.stderr.splitlines() == ["Nothing was created.", "slug: There is a tenant of this slug already"]
    assert await tenants_of(admin_connection, slug) == 1
    assert (
        await admin_connection.fetchval(
            "SELECT count(*) FROM users WHERE tenant_id = $1", uuid.UUID(printed["tenant_id"])
        )
        == 1
    )


@pytest.mark.parametrize(
    ("changes", "users", "problem"),
    [
        ({"npi": "1467890120"}, [ADMIN], "npi: The NPI's check digit is wrong"),
        ({"legal_name": None}, [ADMIN], "legal_name"),
        ({"time_zone": "Chicago"}, [ADMIN], "time_zone: Give an IANA time zone"),
        ({"slug": "Not A Slug"}, [ADMIN], "slug"),
        ({"status": "suspended"}, [ADMIN], "status: Extra inputs are not permitted"),
        ({"fleet": 7}, [ADMIN], "fleet"),
        ({"zip": None}, [ADMIN], "zip: What was given beside this needs it."),
        ({"pay_to_city": "Chicago"}, [ADMIN], "pay_to_street"),
        ({}, [], "users"),
        ({}, [{**ADMIN, "role": "ems"}], "One of the users must be an admin"),
        ({}, [ADMIN, {**ADMIN, "email": "chief@agency.example"}], "the same e-mail address"),
        ({}, [{**ADMIN, "role": "system"}], "users.0.role"),
        ({}, [{**ADMIN, "email": "chief"}], "users.0.email"),
        ({}, [{**ADMIN, "is_reviewer": "yes"}], "users.0.is_reviewer"),
    ],
    ids=str,
)
async def test_a_bad_profile_creates_nothing(
    settings: Settings,
    admin_connection: asyncpg.Connection,
    changes: dict[str, Any],
    users: list[dict[str, Any]],
    problem: str,
) -> None:
    count = "SELECT (SELECT count(*) FROM tenants), (SELECT count(*) FROM users)"
    before = await admin_connection.fetchrow(count)
    with pytest.raises(ProvisioningRefused) as refused:
        await provision(settings, {**profile(new_slug()), **changes}, users)
    assert any(problem in line for line in refused.value.problems), refused.value.problems
    assert "1467890120" not in str(refused.value)
    assert await admin_connection.fetchrow(count) == before


async def test_of_two_provisionings_at_once_one_succeeds(
    settings: Settings, admin_connection: asyncpg.Connection
) -> None:
    slug = new_slug()
    outcomes = await asyncio.gather(
        *(provision(settings, profile(slug), [ADMIN]) for _ in range(3)), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ProvisioningRefused"] * 2 + ["tuple"]
    assert await tenants_of(admin_connection, slug) == 1


@pytest.mark.parametrize("content", [b"", b"[]", b"{"], ids=repr)
def test_a_file_that_holds_no_profile_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "profile.json"
    file.write_bytes(content)
    with pytest.raises(ProvisioningRefused):
        read_content(str(file))
    with pytest.raises(ProvisioningRefused):
        read_content(str(tmp_path / "absent.json"))


async def test_what_furnishing_cannot_do_undoes_the_tenant(
    settings: Settings, admin_connection: asyncpg.Connection
) -> None:
    async def fail(uow: UnitOfWork, users: Mapping[str, uuid.UUID]) -> None:
        assert set(users) == {"chief@agency.example"}
        raise RuntimeError("no vehicles today")

    slug = new_slug()
    with pytest.raises(RuntimeError, match="no vehicles today"):
        await provision(settings, profile(slug), [ADMIN], furnish=fail)
    assert await tenants_of(admin_connection, slug) == 0


async def test_the_demo_agency_has_vehicles_and_a_crew(
    settings: Settings, anonymous: Actor, admin_connection: asyncpg.Connection
) -> None:
    slug = new_slug()
    tenant_id, passwords = await provision(
        settings, {**seed_demo.PROFILE, "slug": slug}, seed_demo.USERS, furnish=seed_demo.furnish
    )
    login = {
        "tenant_slug": slug,
        "email": "medic@demo.example",
        "password": passwords["medic@demo.example"],
    }
    medic = Actor(anonymous.client, (await anonymous.expect(200, "POST", "auth/login", json=login))["access_token"])
    vehicles = (await medic.expect(200, "GET", "tenants/current/vehicles"))["items"]
    assert {vehicle["unit_number"] for vehicle in vehicles} == {"A1", "A2", "S1"}
    facilities = (await medic.expect(200, "GET", "tenants/current/facilities"))["items"]
    assert {facility["billing_letter"] for facility in facilities} == {"H", "J"}
    me = await medic.expect(200, "GET", "auth/me")
    [person] = (await medic.expect(200, "GET", "tenants/current/personnel", params={"user_id": me["id"]}))["items"]
    assert person["licensure_level"] == "9925007"
    audited = await admin_connection.fetchval(
        "SELECT count(*) FROM audit_events WHERE tenant_id = $1 AND entity_type IN ('vehicle', 'facility', 'person')",
        tenant_id,
    )
    assert audited == len(seed_demo.VEHICLES) + len(seed_demo.FACILITIES) + len(seed_demo.PERSONNEL)


async def test_a_suspended_tenant_signs_in_again_once_resumed(
    agency: Agency, settings: Settings, anonymous: Actor, admin_connection: asyncpg.Connection
) -> None:
    email = f"medic@{agency.slug}.example"
    login = {"tenant_slug": agency.slug, "email": email, "password": agency.passwords[email]}
    before = await agency.admin.expect(200, "GET", "tenants/current")
    suspended = await move(settings, TenantTransition.SUSPEND, agency.slug, "Unpaid since May")
    assert (suspended.status, suspended.version) == ("suspended", before["version"] + 1)
    refused = await anonymous.expect(403, "POST", "auth/login", json=login)
    assert refused["error"]["code"] == "TENANT_SUSPENDED"
    await anonymous.expect(401, "POST", "auth/login", json={**login, "password": "wrong"})
    with pytest.raises(SuspensionRefused, match="suspended already"):
        await move(settings, TenantTransition.SUSPEND, agency.slug, "Twice")
    await move(settings, TenantTransition.RESUME, f" {agency.slug.upper()}", "Paid")
    await anonymous.expect(200, "POST", "auth/login", json=login)
    events = [event for event in await audit_of(admin_connection, agency.tenant_id) if event["metadata_json"]]
    assert [(event["action"], event["metadata_json"]["reason"], event["actor_user_id"]) for event in events] == [
        ("tenant.suspended", "Unpaid since May", None),
        ("tenant.resumed", "Paid", None),
    ]
    published = await outbox_of(admin_connection, agency.tenant_id)
    assert [event["payload"]["status"] for event in published] == ["suspended", "active"]


@pytest.mark.parametrize("reason", ["", "x" * 501, "bell\x07"], ids=["none", "long", "control"])
async def test_a_reason_is_needed(
    agency: Agency, settings: Settings, admin_connection: asyncpg.Connection, reason: str
) -> None:
    before = await checksum(admin_connection, agency.tenant_id)
    with pytest.raises(SuspensionRefused, match="reason"):
        await move(settings, TenantTransition.SUSPEND, agency.slug, reason)
    assert await checksum(admin_connection, agency.tenant_id) == before


async def test_nobody_suspends_what_is_not_there(settings: Settings) -> None:
    with pytest.raises(SuspensionRefused, match="no tenant"):
        await move(settings, TenantTransition.SUSPEND, new_slug(), "Unpaid")


async def test_one_of_several_suspensions_at_once_happens(agency: Agency, settings: Settings) -> None:
    outcomes = await asyncio.gather(
        *(move(settings, TenantTransition.SUSPEND, agency.slug, "Unpaid") for _ in range(4)), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["SuspensionRefused"] * 3 + ["Tenant"]


@pytest.mark.parametrize("role", [Role.ADMIN, Role.FOUNDER])
async def test_no_user_may_suspend(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection, role: Role
) -> None:
    before = await checksum(admin_connection, agency.tenant_id)
    for action in (TenantService.suspend, TenantService.resume):
        with pytest.raises(Forbidden):
            async with runtime.unit_of_work(Principal(agency.tenant_id, role)) as uow:
                await action(TenantService(uow), "Because")
    assert await checksum(admin_connection, agency.tenant_id) == before


async def test_suspending_leaves_the_data_alone(
    agency: Agency, settings: Settings, admin_connection: asyncpg.Connection
) -> None:
    before = await checksum(admin_connection, agency.tenant_id)
    await move(settings, TenantTransition.SUSPEND, agency.slug, "Unpaid")
    after = await checksum(admin_connection, agency.tenant_id)
    moved = {table for table in before if before[table] != after[table]}
    assert moved == {"tenants", "audit_events", "outbox_events"}


async def test_the_command_line_says_what_happened(
    agency: Agency, database: TestDatabase, tmp_path: Path, found: Callable[[], Awaitable[Agency]]
) -> None:
    def suspend(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run("scripts.suspend_tenant", *arguments, database=database, data_dir=tmp_path)

    done = await asyncio.to_thread(suspend, "suspend", agency.slug, "Unpaid since May")
    assert (done.returncode, done.stderr) == (0, "")
    printed = orjson.loads(done.stdout)
    assert (printed["slug"], printed["status"]) == (agency.slug, "suspended")
    assert set(printed["administrative_contact"]) == {"name", "phone", "email"}
    again = await asyncio.to_thread(suspend, "suspend", agency.slug, "Unpaid since May")
    assert (again.returncode, again.stderr) == (1, "Nothing was changed. The tenant is suspended already.\n")
    wrong = await asyncio.to_thread(suspend, "delete", agency.slug, "Unpaid since May")
    assert wrong.returncode == 1 and "suspend|resume" in wrong.stderr


async def test_the_report_names_whom_to_tell(agency: Agency, settings: Settings) -> None:
    before = await agency.admin.expect(200, "GET", "tenants/current")
    contact = {"administrative_contact_name": "The Director", "administrative_contact_phone": "2185550101"}
    await agency.admin.expect(200, "PATCH", "tenants/current", json={"version": before["version"], **contact})
    told = orjson.loads(report(await move(settings, TenantTransition.SUSPEND, agency.slug, "Unpaid")))
    assert told["administrative_contact"] == {"name": "The Director", "phone": "2185550101", "email": None}
