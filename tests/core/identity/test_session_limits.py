"""Idle and absolute limits of a session, with a clock that is moved; and a sign-in that races a disabling."""

from __future__ import annotations

import asyncio
import uuid

import asyncpg
import httpx
import pytest

from app.core.config import Settings
from app.core.runtime import Runtime
from app.core.sessions.shared_refreshes import SharedRefreshes
from tests.core.http.contract import expect_refusal
from tests.core.identity.conftest import MovedClock
from tests.core.identity.people import SignedIn, id_of, log_in, signed_in
from tests.core.identity.test_sessions import session_of
from tests.core.waiting import expect_eventually
from tests.support.actors import Agency
from tests.support.database import TestDatabase


@pytest.fixture
async def medic(
    clock: MovedClock, client: httpx.AsyncClient, agency: Agency, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> SignedIn:
    monkeypatch.setattr(runtime, "refreshes", SharedRefreshes(quiet=0))
    return await signed_in(client, agency)


async def test_session_that_is_used_in_time_lives_until_its_absolute_limit(
    medic: SignedIn, clock: MovedClock, settings: Settings, admin_connection: asyncpg.Connection
) -> None:
    step = settings.session_idle_seconds - 10
    while clock.ahead + step < settings.session_absolute_seconds:
        clock.ahead += step
        await medic.renew()
        await medic.expect(200, "GET", "auth/me")
    left = settings.session_absolute_seconds - clock.ahead
    clock.ahead += left - 30
    answer = (await medic.refresh()).json()
    assert 0 < answer["expires_in"] <= 30, "no access token outlives the session"
    medic.token, medic.refresh_token = answer["access_token"], answer["refresh_token"]
    clock.ahead += 31
    await medic.expect_out()
    session = await session_of(admin_connection, medic)
    assert (session["status"], session["end_reason"]) == ("ended", "expired")
    assert expect_refusal(await medic.refresh(), 401, "UNAUTHENTICATED") == {"reason": "expired"}


@pytest.mark.parametrize("past", [False, True])
async def test_session_that_rests_ends_at_its_idle_limit(
    medic: SignedIn, clock: MovedClock, settings: Settings, admin_connection: asyncpg.Connection, past: bool
) -> None:
    clock.ahead += settings.session_idle_seconds + (1 if past else -30)
    answer = await medic.refresh()
    session = await session_of(admin_connection, medic)
    if past:
        assert expect_refusal(answer, 401, "UNAUTHENTICATED") == {"reason": "idle"}
        assert (session["status"], session["end_reason"]) == ("ended", "idle")
        clock.ahead = 0
        await medic.expect_out()  # what has ended does not begin again when the clock is set back
    else:
        assert answer.status_code == 200
        assert (session["status"], session["generation"]) == ("active", 1)


async def test_access_token_ends_by_itself(medic: SignedIn, clock: MovedClock, settings: Settings) -> None:
    await medic.expect(200, "GET", "auth/me")
    clock.ahead += settings.access_token_seconds + 1
    expect_refusal(await medic.get("auth/me"), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize("change", ["status = 'disabled'", "password_hash = 'another'"])
async def test_login_waits_for_a_change_of_its_user_and_believes_it(
    client: httpx.AsyncClient,
    agency: Agency,
    admin_connection: asyncpg.Connection,
    database: TestDatabase,
    change: str,
) -> None:
    """An administrator disables the user, and has not committed yet when the login reads the user."""
    user_id = uuid.UUID(await id_of(agency, "partner"))
    count = "SELECT count(*) FROM user_sessions WHERE user_id = $1"
    before = await admin_connection.fetchval(count, user_id)
    changing = await asyncpg.connect(database.admin)
    try:
        transaction = changing.transaction()
        await transaction.start()
        await changing.execute(f"UPDATE users SET {change} WHERE id = $1", user_id)
        login = asyncio.create_task(log_in(client, agency, "partner"))
        holder = await changing.fetchval("SELECT pg_backend_pid()")
        waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))"

        async def waits_or_is_done() -> bool:
            return login.done() or await admin_connection.fetchval(waiting, holder)

        await expect_eventually(waits_or_is_done, 60)
        assert not login.done(), "the login did not wait for the user's row"
        await transaction.commit()
    finally:
        await changing.close()
    expect_refusal(await login, 401, "UNAUTHENTICATED")
    assert await admin_connection.fetchval(count, user_id) == before
