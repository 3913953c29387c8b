"""Users over HTTP: who may manage them, what each act leaves behind, and the administrator who always remains."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from app.core.runtime import Runtime
from app.core.users.lifecycle import UserStatus, user_lifecycle
from tests.core.evidence import audit_of, checksum, outbox_of
from tests.core.http.contract import expect_refusal
from tests.core.identity.people import (
    ANOTHER,
    STRONG,
    act_on,
    email_of,
    id_of,
    invite,
    links_of,
    log_in,
    reset,
    signed_in,
)
from tests.support.actors import Agency


async def test_invited_user_becomes_active_through_the_link(
    client: httpx.AsyncClient, agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    invited = await invite(agency, "novice", is_reviewer=True)
    assert (invited["status"], invited["is_reviewer"], invited["role"]) == ("invited", True, "ems")
    assert invited["allowed_actions"] == ["invite", "disable"]
    expect_refusal(await log_in(client, agency, "novice", STRONG), 401, "UNAUTHENTICATED")
    [link] = await links_of(admin_connection, runtime, invited["id"])
    assert (await reset(client, link)).status_code == 204
    novice = await signed_in(client, agency, "novice", STRONG)
    me = await novice.expect(200, "GET", "auth/me")
    assert (me["id"], me["is_reviewer"], me["version"]) == (invited["id"], True, 2)
    seen = await agency.admin.expect(200, "GET", f"users/{invited['id']}")
    assert (seen["status"], seen["allowed_actions"]) == ("active", ["lock", "disable"])
    actions = [row["action"] for row in await audit_of(admin_connection, uuid.UUID(invited["id"]))]
    assert actions == ["user.invited", "user.login_failed", "user.activated", "user.logged_in"]


async def test_invitation_publishes_the_token_and_not_its_text(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    invited = await invite(agency)
    [(token_id, stored)] = await admin_connection.fetch(
        "SELECT id, t::text FROM account_tokens AS t WHERE user_id = $1", uuid.UUID(invited["id"])
    )
    [event] = await outbox_of(admin_connection, token_id)
    assert (event["topic"], str(event["aggregate_id"])) == ("user.invited", invited["id"])
    assert event["payload"]["user_id"] == invited["id"]
    [link] = await links_of(admin_connection, runtime, invited["id"])
    everything = stored + str(event) + str(await audit_of(admin_connection, token_id))
    assert link not in everything


async def test_second_invitation_withdraws_the_first(
    client: httpx.AsyncClient, agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    invited = await invite(agency)
    again = await act_on(agency, invited["id"], "invite")
    assert again["status"] == "invited"
    first, second = await links_of(admin_connection, runtime, invited["id"])
    expect_refusal(await reset(client, first), 401, "UNAUTHENTICATED")
    assert (await reset(client, second)).status_code == 204
    body = {"action": "invite", "version": 2}
    expect_refusal(await agency.admin.post(f"users/{invited['id']}/transitions", json=body), 409, "INVALID_TRANSITION")


async def test_creation_can_be_repeated(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    body = {"id": str(uuid.uuid4()), "email": email_of(agency, "twice"), "display_name": "Twice", "role": "billing"}
    first = await agency.admin.expect(201, "POST", "users", json=body)
    assert await agency.admin.expect(200, "POST", "users", json=body) == first
    count = await admin_connection.fetchval(
        "SELECT count(*) FROM account_tokens WHERE user_id = $1", uuid.UUID(first["id"])
    )
    assert count == 1


async def test_address_is_unique_in_any_case_among_the_living(agency: Agency, found: Any) -> None:
    invited = await invite(agency, "One")
    assert invited["email"] == email_of(agency, "one")
    taken = {"email": email_of(agency, "ONE"), "display_name": "Two", "role": "ems"}
    expect_refusal(await agency.admin.post("users", json=taken), 409, "ALREADY_EXISTS")
    medic = await agency.admin.expect(200, "GET", f"users/{await id_of(agency, 'medic')}")
    change = {"version": medic["version"], "email": invited["email"]}
    expect_refusal(await agency.admin.patch(f"users/{medic['id']}", json=change), 409, "ALREADY_EXISTS")
    other = await found()
    await other.admin.expect(201, "POST", "users", json=taken)
    await agency.admin.expect(204, "DELETE", f"users/{invited['id']}", params={"version": invited["version"]})
    second = await agency.admin.expect(201, "POST", "users", json=taken)
    restore = {"version": invited["version"] + 1}
    expect_refusal(await agency.admin.post(f"users/{invited['id']}/restore", json=restore), 409, "ALREADY_EXISTS")
    await agency.admin.expect(204, "DELETE", f"users/{second['id']}", params={"version": second["version"]})
    back = await agency.admin.expect(200, "POST", f"users/{invited['id']}/restore", json=restore)
    assert (back["status"], back["deleted_at"]) == ("invited", None)


@pytest.mark.parametrize(
    "email",
    ["", "x", "a@b", "a b@c.example", "@c.example", "a@", "a@c..example", "a@-c.example", "a@c.\nexample",
     "a@localhost", "<a@c.example>", "Max <a@c.example>", "a@c.example, b@c.example", f"{'a' * 65}@c.example",
     "ä@c.example", "a@[::1]"],
)  # fmt: skip
async def test_what_is_no_address_is_refused(agency: Agency, email: str) -> None:
    body = {"email": email, "display_name": "No One", "role": "ems"}
    details = expect_refusal(await agency.admin.post("users", json=body), 422, "VALIDATION_FAILED")
    assert [problem["field"] for problem in details["problems"]] == ["email"]


async def test_list_is_filtered_and_shows_deleted_ones_when_asked(agency: Agency) -> None:
    invited = await invite(agency)
    by = {
        "role=billing": {"biller"},
        "status=invited": {"novice"},
        f"email={email_of(agency, 'MEDIC').upper()}": {"medic"},
        "role=ems&status=active": {"medic", "partner", "supervisor"},
    }
    for query, names in by.items():
        page = await agency.admin.expect(200, "GET", f"users?{query}")
        assert {user["email"].split("@")[0] for user in page["items"]} == names
    await agency.admin.expect(204, "DELETE", f"users/{invited['id']}", params={"version": 1})
    assert len((await agency.admin.expect(200, "GET", "users"))["items"]) == 6
    assert len((await agency.admin.expect(200, "GET", "users?include_deleted=true"))["items"]) == 7
    await agency.admin.expect(404, "GET", f"users/{invited['id']}")
    await agency.admin.expect(422, "GET", "users?role=system")


@pytest.mark.parametrize("who", ["medic", "supervisor", "biller", "founder"])
async def test_only_administrators_manage_users(agency: Agency, who: str, admin_connection: asyncpg.Connection) -> None:
    target = await id_of(agency, "partner")
    before = await checksum(admin_connection, agency.tenant_id)
    actor = agency.actors[who]
    body = {"email": email_of(agency, "own"), "display_name": "Own", "role": "admin"}
    for answer in (
        await actor.get("users"),
        await actor.get(f"users/{target}"),
        await actor.post("users", json=body),
        await actor.patch(f"users/{target}", json={"version": 1, "role": "admin"}),
        await actor.post(f"users/{target}/transitions", json={"version": 1, "action": "disable"}),
        await actor.delete(f"users/{target}", params={"version": 1}),
        await actor.post(f"users/{target}/restore", json={"version": 1}),
    ):
        expect_refusal(answer, 403, "FORBIDDEN")
    assert await checksum(admin_connection, agency.tenant_id) == before


async def test_users_of_another_agency_do_not_exist(
    agency: Agency, found: Callable[[], Awaitable[Agency]], admin_connection: asyncpg.Connection
) -> None:
    other = await found()
    theirs = await id_of(other, "medic")
    before = await checksum(admin_connection, other.tenant_id)
    for answer in (
        await agency.admin.get(f"users/{theirs}"),
        await agency.admin.patch(f"users/{theirs}", json={"version": 1, "role": "admin"}),
        await agency.admin.post(f"users/{theirs}/transitions", json={"version": 1, "action": "lock"}),
        await agency.admin.delete(f"users/{theirs}", params={"version": 1}),
        await agency.admin.post(f"users/{theirs}/restore", json={"version": 1}),
    ):
        expect_refusal(answer, 404, "NOT_FOUND")
    page = await agency.admin.expect(200, "GET", "users", params={"email": email_of(other, "medic")})
    assert page["items"] == []
    assert await checksum(admin_connection, other.tenant_id) == before


async def test_stale_versions_are_refused(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    target = await id_of(agency, "medic")
    await agency.admin.expect(200, "PATCH", f"users/{target}", json={"version": 1, "display_name": "Max"})
    before = await checksum(admin_connection, agency.tenant_id)
    for answer in (
        await agency.admin.patch(f"users/{target}", json={"version": 1, "role": "billing"}),
        await agency.admin.post(f"users/{target}/transitions", json={"version": 1, "action": "lock"}),
        await agency.admin.delete(f"users/{target}", params={"version": 1}),
    ):
        assert expect_refusal(answer, 409, "CONFLICT")["server_version"] == 2
    assert await checksum(admin_connection, agency.tenant_id) == before


async def test_own_name_is_ones_own_to_change(agency: Agency) -> None:
    me = await agency.biller.expect(200, "GET", "auth/me")
    changed = await agency.biller.expect(
        200, "PATCH", "auth/me", json={"version": me["version"], "display_name": "Billy"}
    )
    assert changed == {**me, "display_name": "Billy", "version": me["version"] + 1, "updated_at": changed["updated_at"]}
    stale = {"version": me["version"], "display_name": "Bob"}
    expect_refusal(await agency.biller.patch("auth/me", json=stale), 409, "CONFLICT")
    for more in ({"role": "admin"}, {"is_reviewer": True}, {"email": "x@y.example"}, {"status": "active"}):
        expect_refusal(await agency.biller.patch("auth/me", json={"version": 2, **more}), 422, "VALIDATION_FAILED")
    assert await agency.biller.expect(200, "GET", "auth/me") == changed


async def second_admin(agency: Agency, client: httpx.AsyncClient, runtime: Runtime, database: Any) -> str:
    invited = await invite(agency, "deputy", role="admin")
    [link] = await links_of(database, runtime, invited["id"])
    assert (await reset(client, link)).status_code == 204
    return str(invited["id"])


async def test_last_active_administrator_remains(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    """An invited or locked administrator does not count."""
    await invite(agency, "deputy", role="admin")
    me = await id_of(agency, "admin")
    before = await checksum(admin_connection, agency.tenant_id)
    for action in ("lock", "disable"):
        refused = await agency.admin.post(f"users/{me}/transitions", json={"version": 1, "action": action})
        [guard] = expect_refusal(refused, 409, "INVALID_TRANSITION")["failed_guards"]
        assert guard["name"] == "last_admin"
    expect_refusal(await agency.admin.delete(f"users/{me}", params={"version": 1}), 409, "LAST_ADMINISTRATOR")
    expect_refusal(
        await agency.admin.patch(f"users/{me}", json={"version": 1, "role": "ems"}), 409, "LAST_ADMINISTRATOR"
    )
    assert await checksum(admin_connection, agency.tenant_id) == before
    await agency.admin.expect(200, "PATCH", f"users/{me}", json={"version": 1, "role": "admin", "display_name": "Ada"})


@pytest.mark.parametrize("act", ["lock", "disable", "delete", "demote"])
async def test_two_administrators_who_remove_each_other_at_once_do_not_both_succeed(
    client: httpx.AsyncClient, agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection, act: str
) -> None:
    deputy_id, admin_id = await second_admin(agency, client, runtime, admin_connection), await id_of(agency, "admin")
    deputy = await signed_in(client, agency, "deputy", STRONG)

    async def remove(actor: Any, target: str, version: int) -> int:
        if act == "delete":
            answer = await actor.delete(f"users/{target}", params={"version": version})
        elif act == "demote":
            answer = await actor.patch(f"users/{target}", json={"version": version, "role": "ems"})
        else:
            body = {"version": version, "action": act}
            answer = await actor.post(f"users/{target}/transitions", json=body)
        return int(answer.status_code)

    outcomes = await asyncio.gather(remove(agency.admin, deputy_id, 2), remove(deputy, admin_id, 1))
    assert sum(status < 300 for status in outcomes) == 1, outcomes
    assert set(outcomes) <= {200, 204, 401, 409}
    left = await admin_connection.fetchval(
        "SELECT count(*) FROM users WHERE tenant_id = $1 AND role = 'admin' AND status = 'active'"
        " AND deleted_at IS NULL",
        agency.tenant_id,
    )
    assert left == 1


def test_lifecycle_matches_its_table() -> None:
    edges = {
        (source.value, transition.action.value, transition.target.value)
        for transition in user_lifecycle.transitions
        for source in transition.sources
    }
    assert edges == {
        ("invited", "invite", "invited"),
        ("invited", "activate", "active"),
        ("active", "lock", "locked"),
        ("locked", "unlock", "active"),
        ("invited", "disable", "disabled"),
        ("active", "disable", "disabled"),
        ("locked", "disable", "disabled"),
    }
    assert user_lifecycle.states is UserStatus


async def test_nobody_activates_by_hand(agency: Agency) -> None:
    invited = await invite(agency)
    body = {"version": 1, "action": "activate"}
    expect_refusal(await agency.admin.post(f"users/{invited['id']}/transitions", json=body), 403, "FORBIDDEN")


async def test_locked_user_comes_back_with_the_same_password(client: httpx.AsyncClient, agency: Agency) -> None:
    target = await id_of(agency, "medic")
    assert (await act_on(agency, target, "lock", reason="left the keys in the ambulance"))["status"] == "locked"
    expect_refusal(await log_in(client, agency, "medic"), 401, "UNAUTHENTICATED")
    assert (await act_on(agency, target, "unlock"))["status"] == "active"
    assert (await log_in(client, agency, "medic")).status_code == 200
    assert (await act_on(agency, target, "disable"))["allowed_actions"] == []
    expect_refusal(await log_in(client, agency, "medic"), 401, "UNAUTHENTICATED")


async def test_links_do_not_outlive_what_they_were_sent_for(
    client: httpx.AsyncClient, agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    """A new address, a disabled and a deleted user."""
    moved, disabled, deleted = [await invite(agency, name) for name in ("moved", "gone", "erased")]
    change = {"version": 1, "email": email_of(agency, "elsewhere")}
    await agency.admin.expect(200, "PATCH", f"users/{moved['id']}", json=change)
    await act_on(agency, disabled["id"], "disable")
    await agency.admin.expect(204, "DELETE", f"users/{deleted['id']}", params={"version": 1})
    for user in (moved, disabled, deleted):
        [link] = await links_of(admin_connection, runtime, user["id"])
        expect_refusal(await reset(client, link, ANOTHER), 401, "UNAUTHENTICATED")


async def test_roles_are_named_as_clients_write_them(agency: Agency) -> None:
    body = {"email": f"new@{agency.slug}.example", "display_name": "New", "role": "system"}
    refused = await agency.admin.expect(422, "POST", "users", json=body)
    [problem] = refused["error"]["details"]["problems"]
    assert problem["message"] == "role must be one of admin, ems, billing, founder."
