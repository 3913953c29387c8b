"""Devices that lock themselves: how long their sessions may rest, why they end, who sees and ends them."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from typing import Any

import asyncpg
import httpx
import pytest

from app.core.config import Settings
from app.core.runtime import Runtime
from app.core.sessions.shared_refreshes import SharedRefreshes
from tests.core.evidence import audit_of, checksum
from tests.core.http.contract import expect_refusal
from tests.core.identity.conftest import MovedClock
from tests.core.identity.people import STRONG, SignedIn, email_of, id_of, log_in, signed_in
from tests.core.identity.test_sessions import session_id_of, session_of
from tests.support.actors import Actor, Agency, found_agency

TABLET = {"id": "0f7a4f9e-6f6e-4c62-9a52-0d1a6f6f0c11", "name": "Tablet 7", "locks_itself": True}
LAPTOP = {"id": "5b0c2f0e-8a53-4f0a-8a0d-95b1c1c60a22", "name": "Front desk", "locks_itself": False}
MINUTES = 240


@pytest.fixture(autouse=True)
def at_once(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """No refresh waits for others of its session."""
    monkeypatch.setattr(runtime, "refreshes", SharedRefreshes(quiet=0))


@pytest.fixture
async def rival(client: httpx.AsyncClient, settings: Settings) -> Agency:
    return await found_agency(client, settings)


async def permit(agency: Agency, minutes: int | None) -> None:
    tenant = await agency.admin.expect(200, "GET", "tenants/current")
    body = {"version": tenant["version"], "device_idle_minutes": minutes}
    await agency.admin.expect(200, "PATCH", "tenants/current", json=body)


async def sessions_of(actor: Actor, path: str = "auth/sessions", **params: Any) -> dict[str, dict[str, Any]]:
    page = await actor.expect(200, "GET", path, params={"limit": 200, **params})
    assert page["next_cursor"] is None
    return {session["id"]: session for session in page["items"]}


@pytest.mark.parametrize(
    ("minutes", "device", "rests"),
    [
        (MINUTES, TABLET, MINUTES * 60),
        (MINUTES, LAPTOP, None),
        (MINUTES, None, None),
        (None, TABLET, None),
        (15, TABLET, 900),
    ],
    ids=["permitted", "no lock", "no device", "not permitted", "no longer than others"],
)
async def test_session_rests_longer_only_on_a_device_that_locks_itself_and_where_its_agency_permits(
    client: httpx.AsyncClient,
    agency: Agency,
    clock: MovedClock,
    settings: Settings,
    admin_connection: asyncpg.Connection,
    minutes: int | None,
    device: dict[str, Any] | None,
    rests: int | None,
) -> None:
    await permit(agency, minutes)
    limit = rests or settings.session_idle_seconds
    answer = await log_in(client, agency, "medic", device=device)
    assert answer.json()["refresh_within"] == limit
    medic = SignedIn(client, answer.json()["access_token"], refresh_token=answer.json()["refresh_token"])
    clock.ahead += limit - 30
    refreshed = (await medic.refresh()).json()
    assert refreshed["refresh_within"] == limit
    assert (
        dt.datetime.fromisoformat(refreshed["session_expires_at"])
        == (await session_of(admin_connection, medic))["expires_at"]
    )
    medic.token, medic.refresh_token = refreshed["access_token"], refreshed["refresh_token"]
    clock.ahead += limit + 1
    assert expect_refusal(await medic.refresh(), 401, "UNAUTHENTICATED") == {"reason": "idle"}
    session = await session_of(admin_connection, medic)
    assert (session["status"], session["end_reason"]) == ("ended", "idle")


async def test_device_does_not_outlive_the_absolute_end(
    client: httpx.AsyncClient, agency: Agency, clock: MovedClock, settings: Settings
) -> None:
    await permit(agency, 720)
    medic = await signed_in(client, agency, device=TABLET)
    clock.ahead += settings.session_absolute_seconds - 60
    answer = (await medic.refresh()).json()
    assert 0 < answer["refresh_within"] <= 60, "it says when the session ends"
    medic.refresh_token = answer["refresh_token"]
    clock.ahead += 61
    assert expect_refusal(await medic.refresh(), 401, "UNAUTHENTICATED") == {"reason": "expired"}


async def test_agency_that_takes_its_permission_back_is_obeyed_at_the_next_refresh(
    client: httpx.AsyncClient, agency: Agency, clock: MovedClock, admin_connection: asyncpg.Connection
) -> None:
    await permit(agency, MINUTES)
    medic = await signed_in(client, agency, device=TABLET)
    await permit(agency, None)
    events = await audit_of(admin_connection, agency.tenant_id)
    assert events[-1]["changed_fields_json"]["device_idle_minutes"] == [MINUTES, None]
    clock.ahead += 901
    assert expect_refusal(await medic.refresh(), 401, "UNAUTHENTICATED") == {"reason": "idle"}


@pytest.mark.parametrize("minutes", [14, 721, 0, -1, 60.5, "60", True])
async def test_time_on_devices_has_bounds(agency: Agency, admin_connection: asyncpg.Connection, minutes: Any) -> None:
    before = await checksum(admin_connection, agency.tenant_id)
    body = {"version": 1, "device_idle_minutes": minutes}
    expect_refusal(await agency.admin.patch("tenants/current", json=body), 422, "VALIDATION_FAILED")
    assert await checksum(admin_connection, agency.tenant_id) == before


@pytest.mark.parametrize(
    "spoilt",
    [{"id": "tablet"}, {"name": ""}, {"name": " \u200b"}, {"name": "x" * 61}, {"locks_itself": "yes"}, {"more": 1}],
)
async def test_device_that_is_not_named_as_it_must_be_is_refused(
    client: httpx.AsyncClient, agency: Agency, admin_connection: asyncpg.Connection, spoilt: dict[str, Any]
) -> None:
    before = await checksum(admin_connection, agency.tenant_id)
    answer = await log_in(client, agency, "medic", device=TABLET | spoilt)
    expect_refusal(answer, 422, "VALIDATION_FAILED")
    assert await checksum(admin_connection, agency.tenant_id) == before


async def test_every_end_says_why(client: httpx.AsyncClient, agency: Agency) -> None:
    left, ended, stolen, changed = [await signed_in(client, agency) for _ in range(4)]
    await left.expect(204, "POST", "auth/logout")
    await agency.admin.expect(204, "DELETE", f"sessions/{session_id_of(ended)}")
    old = stolen.refresh_token
    await stolen.renew()
    expect_refusal(await stolen.refresh(old), 401, "UNAUTHENTICATED")
    body = {"current_password": agency.passwords[email_of(agency, "medic")], "new_password": STRONG}
    await changed.expect(204, "POST", "auth/password/change", json=body)
    said = {}
    for actor in (left, ended, stolen, changed):
        answer = await actor.refresh()
        said[expect_refusal(answer, 401, "UNAUTHENTICATED")["reason"]] = answer.json()["error"]["message"]
    assert list(said) == ["logout", "revoked", "refresh_token_reused", "password_changed"]
    assert len(set(said.values())) == 4 and all(message.endswith("Sign in again.") for message in said.values())


async def test_user_sees_where_the_account_is_signed_in(
    client: httpx.AsyncClient, agency: Agency, rival: Agency, clock: MovedClock
) -> None:
    await permit(agency, MINUTES)
    tablet, laptop = [await signed_in(client, agency, device=device) for device in (TABLET, LAPTOP)]
    plain = await signed_in(client, agency)
    seen = await sessions_of(plain)
    ids = [str(session_id_of(actor)) for actor in (plain, laptop, tablet)]
    assert [session for session in seen if session in ids] == ids, "newest first"
    assert [session for session, shown in seen.items() if shown["is_present"]] == ids[:1]
    shown = [(seen[at]["device_id"], seen[at]["device_name"], seen[at]["locks_itself"]) for at in ids]
    assert shown == [
        (None, None, False),
        (LAPTOP["id"], "Front desk", False),
        (TABLET["id"], "Tablet 7", True),
    ]
    assert {session["user_id"] for session in seen.values()} == {await id_of(agency, "medic")}
    assert not set(ids) & set(await sessions_of(rival.medic))
    await laptop.expect(204, "POST", "auth/logout")
    clock.ahead += 901
    await tablet.renew()
    remaining = await sessions_of(tablet)
    assert list(remaining) == [ids[2]], "neither what ended nor what rested for too long"
    clock.ahead += MINUTES * 60 + 1
    admin = await signed_in(client, agency, "admin")
    assert ids[2] not in await sessions_of(admin, "sessions")


async def test_administrator_finds_and_ends_what_runs_on_a_lost_tablet(
    client: httpx.AsyncClient, agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    medic, partner = [await signed_in(client, agency, name, device=TABLET) for name in ("medic", "partner")]
    elsewhere = await signed_in(client, agency, device=LAPTOP)
    on_tablet = await sessions_of(agency.admin, "sessions", device_id=TABLET["id"])
    assert set(on_tablet) == {str(session_id_of(actor)) for actor in (medic, partner)}
    of_medic = await sessions_of(agency.admin, "sessions", user_id=await id_of(agency, "medic"))
    assert {str(session_id_of(actor)) for actor in (medic, elsewhere)} <= set(of_medic)
    assert str(session_id_of(partner)) not in of_medic
    for _ in range(2):  # the second time there is nothing to end
        for session in on_tablet:
            await agency.admin.expect(204, "DELETE", f"sessions/{session}")
    for actor in (medic, partner):
        await actor.expect_out()
        row = await session_of(admin_connection, actor)
        assert (row["status"], row["end_reason"]) == ("ended", "revoked")
        events = await audit_of(admin_connection, row["id"])
        assert [event["action"] for event in events] == ["user_session.opened", "user_session.ended"]
        assert str(events[-1]["actor_user_id"]) == await id_of(agency, "admin")
    await elsewhere.expect(200, "GET", "auth/me")
    assert await sessions_of(agency.admin, "sessions", device_id=TABLET["id"]) == {}


async def test_user_ends_a_session_of_one_s_own_and_of_nobody_else(
    client: httpx.AsyncClient, agency: Agency, rival: Agency, admin_connection: asyncpg.Connection
) -> None:
    lost, held = await signed_in(client, agency, device=TABLET), await signed_in(client, agency)
    partner = await signed_in(client, agency, "partner")
    foreign = await signed_in(client, rival)
    await held.expect(204, "DELETE", f"auth/sessions/{session_id_of(lost)}")
    await lost.expect_out()
    before = await checksum(admin_connection, agency.tenant_id), await checksum(admin_connection, rival.tenant_id)
    for other in (session_id_of(partner), session_id_of(foreign), uuid.uuid4()):
        expect_refusal(await held.delete(f"auth/sessions/{other}"), 404, "NOT_FOUND")
    expect_refusal(await agency.admin.delete(f"sessions/{session_id_of(foreign)}"), 404, "NOT_FOUND")
    after = await checksum(admin_connection, agency.tenant_id), await checksum(admin_connection, rival.tenant_id)
    assert after == before
    for actor in (held, partner, foreign):
        await actor.expect(200, "GET", "auth/me")
        await actor.renew()


async def test_sessions_of_the_agency_are_its_administrators_to_see_and_end(
    client: httpx.AsyncClient, agency: Agency
) -> None:
    target = await signed_in(client, agency, "partner")
    for actor in (agency.medic, agency.supervisor, agency.biller, agency.founder):
        expect_refusal(await actor.get("sessions"), 403, "FORBIDDEN")
        expect_refusal(await actor.delete(f"sessions/{session_id_of(target)}"), 403, "FORBIDDEN")
    await target.expect(200, "GET", "auth/me")


async def test_refresh_that_meets_the_end_of_its_session_does_not_survive_it(
    client: httpx.AsyncClient, agency: Agency
) -> None:
    for _ in range(5):
        actor = await signed_in(client, agency, device=TABLET)
        path = f"sessions/{session_id_of(actor)}"
        refreshed, ended = await asyncio.gather(actor.refresh(), agency.admin.delete(path))
        assert ended.status_code == 204
        if refreshed.status_code == 200:
            actor.token, actor.refresh_token = refreshed.json()["access_token"], refreshed.json()["refresh_token"]
        else:
            assert expect_refusal(refreshed, 401, "UNAUTHENTICATED") == {"reason": "revoked"}
        await actor.expect_out()


async def test_lock_of_a_user_ends_the_session_that_rests_on_a_device(
    client: httpx.AsyncClient, agency: Agency, clock: MovedClock, admin_connection: asyncpg.Connection
) -> None:
    """Longer ago than other sessions may rest."""
    await permit(agency, MINUTES)
    medic = await signed_in(client, agency, device=TABLET)
    clock.ahead += 7_200
    admin = await signed_in(client, agency, "admin")
    user_id = (await session_of(admin_connection, medic))["user_id"]
    user = await admin.expect(200, "GET", f"users/{user_id}")
    body = {"action": "lock", "version": user["version"]}
    await admin.expect(200, "POST", f"users/{user_id}/transitions", json=body)
    session = await session_of(admin_connection, medic)
    assert (session["status"], session["end_reason"]) == ("ended", "access_changed")
    assert expect_refusal(await medic.refresh(), 401, "UNAUTHENTICATED") == {"reason": "access_changed"}


async def test_list_of_sessions_is_paged_both_ways(client: httpx.AsyncClient, agency: Agency) -> None:
    user_id = await id_of(agency, "partner")
    made = [str(session_id_of(await signed_in(client, agency, "partner"))) for _ in range(3)]
    for sort, expected in (("created_at", made), ("-created_at", made[::-1])):
        found: list[str] = []
        params = {"user_id": user_id, "limit": 1, "sort": sort}
        while params.get("cursor", "") is not None:
            page = await agency.admin.expect(200, "GET", "sessions", params=params)
            found += [session["id"] for session in page["items"]]
            params["cursor"] = page["next_cursor"]
        assert [session for session in found if session in made] == expected and len(found) == len(set(found))
