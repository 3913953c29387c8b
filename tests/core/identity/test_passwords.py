"""Changing and resetting passwords: what is taken, what ends, and what a link is good for."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.core.account_tokens.sealing import token_text
from app.core.auth import password_service
from app.core.auth.strength import require_strong
from app.core.errors import ValidationFailed
from app.core.keys import Keyring
from app.core.runtime import Runtime
from tests.core.evidence import audit_of, checksum, outbox_of
from tests.core.http.contract import expect_refusal
from tests.core.identity.people import (
    ANOTHER,
    STRONG,
    SignedIn,
    act_on,
    ask_for_link,
    email_of,
    from_address,
    id_of,
    invite,
    links_of,
    log_in,
    reset,
    signed_in,
)
from tests.support.actors import Agency


async def change(actor: Any, current: str, new: str) -> httpx.Response:
    body = {"current_password": current, "new_password": new}
    answer: httpx.Response = await actor.post("auth/password/change", json=body)
    return answer


async def link_for(agency: Agency, client: httpx.AsyncClient, runtime: Runtime, database: Any, name: str) -> str:
    """Ask for a reset link and read it."""
    answer = await ask_for_link(client, agency.slug, email_of(agency, name))
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    return (await links_of(database, runtime, await id_of(agency, name)))[-1]


async def test_changed_password_ends_every_session_and_is_the_only_one(
    client: httpx.AsyncClient, agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    here, there = await signed_in(client, agency), await signed_in(client, agency)
    old = agency.passwords[email_of(agency, "medic")]
    assert (await change(here, old, STRONG)).status_code == 204
    for actor in (here, there):
        await actor.expect_out()
    expect_refusal(await agency.medic.get("auth/me"), 401, "UNAUTHENTICATED")
    expect_refusal(await log_in(client, agency, "medic", old), 401, "UNAUTHENTICATED")
    user_id = uuid.UUID((await (await signed_in(client, agency, "medic", STRONG)).get("auth/me")).json()["id"])
    [changed] = [row for row in await audit_of(admin_connection, user_id) if row["action"] == "user.password_changed"]
    assert changed["actor_user_id"] == user_id
    assert "$2b$" not in str(changed)
    assert [event["topic"] for event in await outbox_of(admin_connection, user_id)] == ["user.password_changed"]


COMPOSED, DECOMPOSED = "Am\u00e9lie-finds-91-b\u00f6ats", "Ame\u0301lie-\ufb01nds-91-bo\u0308ats"


async def test_a_password_is_the_same_from_every_keyboard(
    client: httpx.AsyncClient, agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    """Set through a link, used to sign in, and named as the present one: each in the other form."""
    assert (
        await reset(client, await link_for(agency, client, runtime, admin_connection, "medic"), DECOMPOSED)
    ).status_code == 204
    here = await signed_in(client, agency, "medic", COMPOSED)
    await signed_in(client, agency, "medic", DECOMPOSED)
    refused = expect_refusal(await change(here, DECOMPOSED, COMPOSED), 422, "VALIDATION_FAILED")
    assert [problem["code"] for problem in refused["problems"]] == ["password_unchanged"]
    assert (await change(here, COMPOSED, STRONG)).status_code == 204
    expect_refusal(await log_in(client, agency, "medic", COMPOSED), 401, "UNAUTHENTICATED")


async def test_slug_is_matched_in_any_case_and_without_the_blanks_around_it(
    client: httpx.AsyncClient, agency: Agency, admin_connection: asyncpg.Connection, runtime: Runtime
) -> None:
    typed = f" {agency.slug.upper()}\u00a0"
    await signed_in(client, agency, tenant_slug=typed)
    assert (await ask_for_link(client, typed, email_of(agency, "medic"))).status_code == 202
    assert len(await links_of(admin_connection, runtime, await id_of(agency, "medic"))) == 1
    for wrong in (agency.slug[:-1], agency.slug.replace("-", " "), agency.slug + "\u0130"):
        assert (await log_in(client, agency, "medic", tenant_slug=wrong)).status_code in (401, 422)


async def test_wrong_present_password_changes_nothing(
    client: httpx.AsyncClient, agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    medic = await signed_in(client, agency)
    user_id = uuid.UUID(await id_of(agency, "medic"))
    stored = await admin_connection.fetchval("SELECT password_hash FROM users WHERE id = $1", user_id)
    [problem] = expect_refusal(await change(medic, "wrong", STRONG), 422, "VALIDATION_FAILED")["problems"]
    assert (problem["field"], problem["code"]) == ("current_password", "password_wrong")
    assert await admin_connection.fetchval("SELECT password_hash FROM users WHERE id = $1", user_id) == stored
    assert (await audit_of(admin_connection, user_id))[-1]["action"] == "user.password_change_refused"
    await medic.expect(200, "GET", "auth/me")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short-Xy7!", "password_too_short"),
        ("é" * 37, "password_too_long"),
        ("x" * 73, "password_too_long"),
        ("password1234", "password_too_weak"),
        ("aaaaaaaaaaaaaaaa", "password_too_weak"),
        ("qwertyuiop12", "password_too_weak"),
        ("Prairie Test Ambulance", "password_too_weak"),
        ("ambulanceprairie", "password_too_weak"),
        ("bell\x07in-the-Middle-77", "control_character"),
    ],
)
async def test_password_that_is_no_good_is_refused_by_a_code(
    client: httpx.AsyncClient, agency: Agency, password: str, code: str
) -> None:
    old = agency.passwords[email_of(agency, "medic")]
    answer = await change(await signed_in(client, agency), old, password)
    [problem] = expect_refusal(answer, 422, "VALIDATION_FAILED")["problems"]
    assert (problem["field"], problem["code"]) == ("new_password", code)
    assert password not in answer.text
    assert (await log_in(client, agency, "medic")).status_code == 200


async def test_password_of_ones_own_name_is_weak_for_oneself_alone() -> None:
    password = "Wolfeschlegelstein22"
    await require_strong(password, ["Max Medic", "max@demo.example"])
    with pytest.raises(ValidationFailed):
        await require_strong(password, ["Wolfeschlegelstein", "w@demo.example"])
    outcomes = await asyncio.gather(
        *(require_strong(password, [["Wolfeschlegelstein"], ["Max"]][number % 2]) for number in range(20)),
        return_exceptions=True,
    )
    assert [isinstance(outcome, ValidationFailed) for outcome in outcomes] == [True, False] * 10


async def test_unchanged_password_is_refused(client: httpx.AsyncClient, agency: Agency) -> None:
    old = agency.passwords[email_of(agency, "medic")]
    details = expect_refusal(await change(await signed_in(client, agency), old, old), 422, "VALIDATION_FAILED")
    assert details["problems"][0]["code"] == "password_unchanged"


async def test_of_two_changes_at_once_one_wins(client: httpx.AsyncClient, agency: Agency) -> None:
    old = agency.passwords[email_of(agency, "medic")]
    first, second = await signed_in(client, agency), await signed_in(client, agency)
    answers = await asyncio.gather(change(first, old, STRONG), change(second, old, ANOTHER))
    assert sorted(answer.status_code for answer in answers)[0] == 204
    assert sorted(answer.status_code for answer in answers)[1] in (401, 409)
    good = [(await log_in(client, agency, "medic", password)).status_code for password in (STRONG, ANOTHER)]
    assert sorted(good) == [200, 401]


async def test_forgotten_password_is_reset_through_the_link(
    client: httpx.AsyncClient, agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    medic = await signed_in(client, agency)
    link = await link_for(agency, client, runtime, admin_connection, "medic")
    await medic.expect(200, "GET", "auth/me")
    assert (await reset(client, link)).status_code == 204
    await medic.expect_out()
    assert (await log_in(client, agency, "medic", STRONG)).status_code == 200
    expect_refusal(await reset(client, link, ANOTHER), 401, "UNAUTHENTICATED")
    user_id = uuid.UUID(await id_of(agency, "medic"))
    [done] = [row for row in await audit_of(admin_connection, user_id) if row["action"] == "user.password_reset"]
    assert done["actor_user_id"] == user_id, "the holder of the link"
    assert [event["topic"] for event in await outbox_of(admin_connection, user_id)] == ["user.password_changed"]


async def test_weak_password_does_not_spend_the_link(
    client: httpx.AsyncClient, agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    link = await link_for(agency, client, runtime, admin_connection, "medic")
    [problem] = expect_refusal(await reset(client, link, "password1234"), 422, "VALIDATION_FAILED")["problems"]
    assert problem["code"] == "password_too_weak"
    assert (await reset(client, link)).status_code == 204


async def test_fifty_holders_of_one_link_and_one_wins(
    client: httpx.AsyncClient, agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    link = await link_for(agency, client, runtime, admin_connection, "medic")
    passwords = [f"{STRONG}-{number}" for number in range(50)]
    answers = await asyncio.gather(*(reset(client, link, password) for password in passwords))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(204) == 1 and set(statuses) <= {204, 401, 503}, "503 for who finds the line full"
    winner = passwords[statuses.index(204)]
    assert (await log_in(client, agency, "medic", winner)).status_code == 200
    loser = passwords[statuses.index(401)]
    expect_refusal(await log_in(client, agency, "medic", loser), 401, "UNAUTHENTICATED")
    rows = await audit_of(admin_connection, uuid.UUID(await id_of(agency, "medic")))
    assert [row["action"] for row in rows].count("user.password_reset") == 1


async def test_bad_links_answer_alike_and_change_nothing(
    client: httpx.AsyncClient, agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection, found: Any
) -> None:
    """Expired, used, withdrawn, forged, of nobody, of another agency's id, and of a user who is not meant any more."""
    other = await found()
    used = await link_for(agency, client, runtime, admin_connection, "medic")
    assert (await reset(client, used)).status_code == 204
    withdrawn = await link_for(agency, client, runtime, admin_connection, "partner")
    await link_for(agency, client, runtime, admin_connection, "partner")
    expired = await link_for(agency, client, runtime, admin_connection, "biller")
    await admin_connection.execute(
        "UPDATE account_tokens SET expires_at = now() - interval '1 second' WHERE user_id = $1",
        uuid.UUID(await id_of(agency, "biller")),
    )
    locked = await link_for(agency, client, runtime, admin_connection, "founder")
    await act_on(agency, await id_of(agency, "founder"), "lock")
    token_id = await admin_connection.fetchval(
        "SELECT id FROM account_tokens WHERE user_id = $1 AND status = 'issued'",
        uuid.UUID(await id_of(agency, "partner")),
    )
    before = await checksum(admin_connection, agency.tenant_id)
    bad = {
        "used": used,
        "withdrawn": withdrawn,
        "expired": expired,
        "locked": locked,
        "forged": token_text(Keyring(b"x" * 32), agency.tenant_id, token_id),
        "another agency's": token_text(runtime.keys, other.tenant_id, token_id),
        "unknown": token_text(runtime.keys, agency.tenant_id, uuid.uuid4()),
        "of no agency": token_text(runtime.keys, uuid.uuid4(), token_id),
        "longer": token_text(runtime.keys, agency.tenant_id, token_id) + "A",
        "another spelling": token_text(runtime.keys, agency.tenant_id, token_id) + "=",
        "text": "x",
        "not ascii": "é" * 86,
    }
    answers = {name: await reset(client, link, ANOTHER) for name, link in bad.items()}
    bodies = set()
    for name, answer in answers.items():
        assert answer.status_code == 401, name
        expect_refusal(answer, 401, "UNAUTHENTICATED")
        bodies.add(str(answer.json()["error"] | {"trace_id": ""}))
    assert len(bodies) == 1
    after = await checksum(admin_connection, agency.tenant_id)
    assert {table for table in after if after[table] != before[table]} == {"audit_events"}
    for name in ("medic", "partner", "biller", "founder"):
        expect_refusal(await log_in(client, agency, name, ANOTHER), 401, "UNAUTHENTICATED")


async def test_link_of_a_reset_does_not_activate_and_that_of_an_invitation_does_not_reset(
    client: httpx.AsyncClient, agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    invited = await invite(agency)
    answer = await ask_for_link(client, agency.slug, invited["email"])
    assert answer.status_code == 202
    [link] = await links_of(admin_connection, runtime, invited["id"])
    assert (await reset(client, link)).status_code == 204
    assert await outbox_of(admin_connection, uuid.UUID(invited["id"])) == [], "a first password is no change"
    expect_refusal(await reset(client, link, ANOTHER), 401, "UNAUTHENTICATED")


async def test_forgetting_answers_alike_for_everybody(
    client: httpx.AsyncClient, agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    await invite(agency, "invited")
    for name, action in (("partner", "lock"), ("biller", "disable")):
        await act_on(agency, await id_of(agency, name), action)
    before = await checksum(admin_connection, agency.tenant_id)
    for slug, email in (
        (agency.slug, "nobody@nowhere.example"),
        ("no-such-agency", email_of(agency, "medic")),
        *((agency.slug, email_of(agency, name)) for name in ("invited", "partner", "biller")),
    ):
        answer = await ask_for_link(client, slug, email)
        assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    assert await checksum(admin_connection, agency.tenant_id) == before
    known = await ask_for_link(client, agency.slug, email_of(agency, "medic").upper())
    assert (known.status_code, known.json()) == (202, {"status": "accepted"})
    assert await checksum(admin_connection, agency.tenant_id) != before


async def test_forgetting_takes_its_time_whatever_it_finds(
    client: httpx.AsyncClient, agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until a moment that is fixed before anything is looked up; the work itself is not measured."""
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    class Frozen:
        monotonic = staticmethod(lambda: 100.0)

    class Watched:
        sleep = staticmethod(note)

    monkeypatch.setattr(password_service, "asyncio", Watched)
    monkeypatch.setattr(password_service, "time", Frozen)
    for email in (email_of(agency, "medic"), "nobody@nowhere.example"):
        await ask_for_link(client, agency.slug, email)
    assert waits == [pytest.approx(0.05)] * 2


async def test_one_mailbox_gets_a_few_links_an_hour(
    client: httpx.AsyncClient, app: FastAPI, agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    email = email_of(agency, "medic")
    statuses = [(await ask_for_link(client, agency.slug, email)).status_code for _ in range(3)]
    assert statuses == [202] * 3
    expect_refusal(await ask_for_link(client, agency.slug, email), 429, "RATE_LIMITED")
    async with from_address(app, "198.51.100.7") as elsewhere:
        assert (await ask_for_link(elsewhere, agency.slug, email)).status_code == 202
    links = await links_of(admin_connection, runtime, await id_of(agency, "medic"))
    assert len(links) == 3
    assert (await reset(client, links[-1])).status_code == 204


async def test_password_change_of_an_unsigned_client_is_refused(client: httpx.AsyncClient) -> None:
    expect_refusal(await change(SignedIn(client), "x", STRONG), 401, "UNAUTHENTICATED")
