"""Refresh tokens: one successor for whoever refreshes, the end of the session for whoever replays."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import itertools
import json
import uuid
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.auth.passwords import PasswordHasher
from app.core.ids import TenantId
from app.core.keys import Keyring
from app.core.runtime import Runtime
from app.core.sessions.refresh_token import RefreshToken
from app.core.sessions.shared_refreshes import SharedRefreshes
from tests.core.evidence import audit_of, checksum
from tests.core.http.contract import expect_refusal
from tests.core.identity.people import SignedIn, act_on, id_of, log_in, signed_in
from tests.support.actors import Agency

KEYS = Keyring(b"k" * 32)


@pytest.fixture
async def medic(client: httpx.AsyncClient, agency: Agency) -> SignedIn:
    return await signed_in(client, agency)


def session_id_of(actor: SignedIn) -> uuid.UUID:
    claims = json.loads(base64.urlsafe_b64decode(str(actor.token).split(".")[1] + "=="))
    return uuid.UUID(claims["sid"])


async def session_of(connection: asyncpg.Connection, actor: SignedIn) -> Any:
    [row] = await connection.fetch("SELECT * FROM user_sessions WHERE id = $1", session_id_of(actor))
    return row


async def age(connection: asyncpg.Connection, actor: SignedIn, **columns: dt.timedelta) -> None:
    """Move times of the session into the past."""
    for column, by in columns.items():
        await connection.execute(
            f"UPDATE user_sessions SET {column} = {column} - $2::interval WHERE id = $1", session_id_of(actor), by
        )


async def test_refresh_answers_the_next_pair_of_the_same_session(
    medic: SignedIn, admin_connection: asyncpg.Connection
) -> None:
    first_access, first_refresh = medic.token, medic.refresh_token
    session_id = session_id_of(medic)
    for generation in (1, 2, 3):
        await medic.renew()
        assert session_id_of(medic) == session_id
        assert (await session_of(admin_connection, medic))["generation"] == generation
    assert medic.token != first_access and medic.refresh_token != first_refresh
    await medic.expect(200, "GET", "auth/me")
    actions = [row["action"] for row in await audit_of(admin_connection, session_id)]
    assert actions == ["user_session.opened", *["user_session.refreshed"] * 3]


async def test_nothing_stored_is_a_refresh_token(medic: SignedIn, admin_connection: asyncpg.Connection) -> None:
    await medic.renew()
    stored = await admin_connection.fetchval(
        "SELECT t::text FROM user_sessions AS t WHERE id = $1", session_id_of(medic)
    )
    audited = await audit_of(admin_connection, session_id_of(medic))
    assert medic.refresh_token not in stored + str(audited)


async def test_fifty_refreshes_at_once_have_one_successor(
    medic: SignedIn, admin_connection: asyncpg.Connection
) -> None:
    answers = await asyncio.gather(*(medic.refresh() for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    [successor] = {answer.json()["refresh_token"] for answer in answers}
    assert (await session_of(admin_connection, medic))["generation"] == 1
    assert successor != medic.refresh_token
    for answer in answers[::10]:
        await SignedIn(medic.client, answer.json()["access_token"]).expect(200, "GET", "auth/me")
    medic.refresh_token = successor
    await medic.renew()


async def test_refreshes_that_a_client_sent_at_once_overlap_though_they_arrive_one_by_one(
    medic: SignedIn, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last one comes when a wait that began with the first would be long over."""
    monkeypatch.setattr(runtime, "refreshes", SharedRefreshes(quiet=0.5, longest=10))
    under_way = []
    for _ in range(6):
        under_way.append(asyncio.create_task(medic.refresh()))
        await asyncio.sleep(0.2)
    assert len({answer.json()["refresh_token"] for answer in await asyncio.gather(*under_way)}) == 1


async def test_gathering_ends_though_it_never_gets_quiet_and_remembers_nobody() -> None:
    shared_refreshes = SharedRefreshes(quiet=60, longest=0.05)
    session_id = uuid.uuid4()
    await asyncio.gather(*(shared_refreshes.until_quiet(session_id) for _ in range(3)))
    abandoned = asyncio.create_task(shared_refreshes.until_quiet(session_id))
    await asyncio.sleep(0)
    abandoned.cancel()
    with pytest.raises(asyncio.CancelledError):
        await abandoned
    assert not shared_refreshes._latest and not shared_refreshes._waiting


async def test_old_token_ends_the_session(
    medic: SignedIn, agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    stolen = medic.refresh_token
    await medic.renew()
    expect_refusal(await medic.refresh(stolen), 401, "UNAUTHENTICATED")
    await medic.expect_out()
    session = await session_of(admin_connection, medic)
    assert (session["status"], session["end_reason"]) == ("ended", "refresh_token_reused")
    reported = [row["action"] for row in await audit_of(admin_connection, session["user_id"])]
    assert reported.count("user_session.refresh_token_reused") == 1
    await agency.medic.expect(200, "GET", "auth/me")


async def test_token_of_two_generations_ago_ends_the_session_whatever_key_it_brings(medic: SignedIn) -> None:
    stolen = medic.refresh_token
    assert (await medic.refresh(key="lost")).status_code == 200
    answer = await medic.refresh(key="lost")
    medic.token, medic.refresh_token = answer.json()["access_token"], answer.json()["refresh_token"]
    await medic.renew()
    expect_refusal(await medic.refresh(stolen, key="lost"), 401, "UNAUTHENTICATED")
    await medic.expect_out()


async def test_client_whose_answer_was_lost_tries_again_with_its_key(
    medic: SignedIn, admin_connection: asyncpg.Connection
) -> None:
    answers = [await medic.refresh(key="attempt-1") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    [successor] = {answer.json()["refresh_token"] for answer in answers}
    session = await session_of(admin_connection, medic)
    assert (session["generation"], session["status"]) == (1, "active")
    assert "attempt-1" not in session["rotation_key"]
    medic.refresh_token = successor
    await medic.renew()


@pytest.mark.parametrize("key", [None, "attempt-2"])
async def test_without_the_key_of_the_refresh_a_repetition_is_a_replay(medic: SignedIn, key: str | None) -> None:
    answer = await medic.refresh(key="attempt-1")
    expect_refusal(await medic.refresh(key=key), 401, "UNAUTHENTICATED")
    medic.token, medic.refresh_token = answer.json()["access_token"], answer.json()["refresh_token"]
    await medic.expect_out()


async def test_key_of_another_session_does_not_help(client: httpx.AsyncClient, agency: Agency) -> None:
    first, second = await signed_in(client, agency), await signed_in(client, agency)
    await first.refresh(key="same")
    await second.refresh()
    expect_refusal(await second.refresh(key="same"), 401, "UNAUTHENTICATED")
    assert (await first.refresh(key="same")).status_code == 200


async def test_session_that_was_idle_too_long_ends(medic: SignedIn, admin_connection: asyncpg.Connection) -> None:
    await age(admin_connection, medic, rotated_at=dt.timedelta(seconds=901))
    expect_refusal(await medic.refresh(), 401, "UNAUTHENTICATED")
    assert (await session_of(admin_connection, medic))["end_reason"] == "idle"
    await medic.expect_out()


async def test_session_that_is_refreshed_in_time_goes_on(medic: SignedIn, admin_connection: asyncpg.Connection) -> None:
    for _ in range(2):
        await age(admin_connection, medic, rotated_at=dt.timedelta(seconds=880))
        await medic.renew()
    assert (await session_of(admin_connection, medic))["generation"] == 2


async def test_busy_session_ends_at_its_absolute_limit(medic: SignedIn, admin_connection: asyncpg.Connection) -> None:
    await age(admin_connection, medic, expires_at=dt.timedelta(seconds=43_200 - 100))
    answer = await medic.refresh()
    assert 0 < answer.json()["expires_in"] <= 100, "the access token does not outlive the session"
    medic.token, medic.refresh_token = answer.json()["access_token"], answer.json()["refresh_token"]
    await age(admin_connection, medic, expires_at=dt.timedelta(seconds=101))
    expect_refusal(await medic.refresh(), 401, "UNAUTHENTICATED")
    assert (await session_of(admin_connection, medic))["end_reason"] == "expired"


async def test_logout_ends_this_session_and_no_other(
    client: httpx.AsyncClient, medic: SignedIn, agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    other = await signed_in(client, agency)
    await medic.expect(204, "POST", "auth/logout")
    await medic.expect_out()
    session = await session_of(admin_connection, medic)
    assert session["end_reason"] == "logout"
    assert "user.logged_out" in [row["action"] for row in await audit_of(admin_connection, session["user_id"])]
    expect_refusal(await medic.post("auth/logout"), 401, "UNAUTHENTICATED")
    await other.expect(200, "GET", "auth/me")
    await other.renew()


async def test_refresh_that_meets_a_logout_does_not_survive_it(client: httpx.AsyncClient, agency: Agency) -> None:
    for _ in range(5):
        actor = await signed_in(client, agency)
        refreshed, left = await asyncio.gather(actor.refresh(), actor.post("auth/logout"))
        assert left.status_code == 204
        if refreshed.status_code == 200:
            actor.token = refreshed.json()["access_token"]
            actor.refresh_token = refreshed.json()["refresh_token"]
        await actor.expect_out()


async def test_login_that_meets_a_lock_leaves_no_session(
    client: httpx.AsyncClient, agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    target = await id_of(agency, "partner")
    for _ in range(3):
        attempts = [signed_in(client, agency, "partner") for _ in range(3)]
        outcomes = await asyncio.gather(*attempts, act_on(agency, target, "lock"), return_exceptions=True)
        for actor in outcomes[:3]:
            if isinstance(actor, SignedIn):
                await actor.expect_out()
        active = await admin_connection.fetchval(
            "SELECT count(*) FROM user_sessions WHERE user_id = $1 AND status = 'active'", uuid.UUID(target)
        )
        assert active == 0
        await act_on(agency, target, "unlock")


@pytest.mark.parametrize("change", ["status = 'locked'", "password_hash = 'another'", "deleted_at = now()"])
async def test_login_believes_what_holds_when_the_session_is_opened(
    client: httpx.AsyncClient,
    agency: Agency,
    admin_connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    """The user changes while the password is being compared."""
    user_id = uuid.UUID(await id_of(agency, "partner"))
    verify = PasswordHasher.verify

    async def verify_slowly(self: PasswordHasher, password: str, stored: str | None) -> bool:
        matches = await verify(self, password, stored)
        await admin_connection.execute(f"UPDATE users SET {change} WHERE id = $1", user_id)
        return matches

    monkeypatch.setattr(PasswordHasher, "verify", verify_slowly)
    count = "SELECT count(*) FROM user_sessions WHERE user_id = $1"
    before = await admin_connection.fetchval(count, user_id)
    expect_refusal(await log_in(client, agency, "partner"), 401, "UNAUTHENTICATED")
    assert await admin_connection.fetchval(count, user_id) == before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: "x",
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text[:22] + ("A" if text[22] != "A" else "B") + text[23:],
        lambda text: ("A" if text[0] != "A" else "B") + text[1:],
        lambda text: text[:60] + ("A" if text[60] != "A" else "B") + text[61:],
        lambda text: "\u00e9" * 210,
        lambda text: "A" * 210,
        lambda text: text + "=",
    ],
    ids=["empty", "short", "cut", "longer", "session", "tenant", "seal", "not ascii", "nothing", "padded"],
)
async def test_forged_refresh_token_is_refused_and_nothing_happens(
    medic: SignedIn, agency: Agency, admin_connection: asyncpg.Connection, spoil: Any
) -> None:
    before = await checksum(admin_connection, agency.tenant_id)
    body = {"refresh_token": spoil(medic.refresh_token)}
    answer = await medic.client.post("/api/v1/auth/refresh", json=body)
    status, code = (422, "VALIDATION_FAILED") if body["refresh_token"] == "" else (401, "UNAUTHENTICATED")
    expect_refusal(answer, status, code)
    assert await checksum(admin_connection, agency.tenant_id) == before


async def test_token_of_a_generation_to_come_or_of_no_session_is_refused(
    medic: SignedIn, agency: Agency, runtime: Runtime
) -> None:
    """Sealed with our own key, which nobody has: even then, and the session that is named so ends."""
    unknown = RefreshToken(agency.tenant_id, uuid.uuid4(), 0).text(runtime.keys)
    expect_refusal(await medic.refresh(unknown), 401, "UNAUTHENTICATED")
    expect_refusal(await medic.refresh(str(medic.token)[:210]), 401, "UNAUTHENTICATED")
    future = RefreshToken(agency.tenant_id, session_id_of(medic), 5).text(runtime.keys)
    expect_refusal(await medic.refresh(future), 401, "UNAUTHENTICATED")


@given(st.uuids(), st.uuids(), st.integers(0, 2**32 - 1))
def test_refresh_token_reads_as_it_was_written(tenant: uuid.UUID, session: uuid.UUID, generation: int) -> None:
    token = RefreshToken(TenantId(tenant), session, generation)
    assert RefreshToken.read(KEYS, token.text(KEYS)) == token
    assert RefreshToken.read(Keyring(b"x" * 32), token.text(KEYS)) is None


@given(st.text(max_size=120))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert RefreshToken.read(KEYS, text) is None


def test_no_other_spelling_of_a_refresh_token_is_accepted() -> None:
    text = RefreshToken(TenantId(uuid.uuid4()), uuid.uuid4(), 7).text(KEYS)
    for position, other in itertools.product(range(0, len(text) - 1, 7), "AZaz09-_"):
        if text[position] != other:
            assert RefreshToken.read(KEYS, text[:position] + other + text[position + 1 :]) is None
