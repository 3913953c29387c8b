"""Guessing is slowed down by account and by address, with and without Redis, and nobody is locked out for good."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from limits import RateLimitItem
from pydantic import SecretStr
from redis.asyncio import Redis

from app.core.auth import throttle as module
from app.core.auth.throttle import ACCOUNT_WINDOWS, Attempt, Throttle, address_windows, client_address, stricter
from app.core.config import Settings
from app.core.errors import RateLimited
from app.core.keys import Keyring
from app.core.runtime import Runtime
from tests.core.evidence import audit_of
from tests.core.http.contract import expect_refusal
from tests.core.identity.conftest import another_app
from tests.core.identity.people import (
    ANOTHER,
    STRONG,
    ask_for_link,
    credentials,
    email_of,
    id_of,
    links_of,
    log_in,
    reset,
    signed_in,
)
from tests.support.actors import Agency

PER_MINUTE = ACCOUNT_WINDOWS[Attempt.PASSWORD][0].amount


def from_address(app: FastAPI, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_account_waits_after_five_failures_even_for_the_right_password(
    client: httpx.AsyncClient, agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    for _ in range(PER_MINUTE):
        expect_refusal(await log_in(client, agency, "medic", "wrong"), 401, "UNAUTHENTICATED")
    refused = await log_in(client, agency, "medic")
    expect_refusal(refused, 429, "RATE_LIMITED")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert (await log_in(client, agency, "partner")).status_code == 200
    for _ in range(3):
        await log_in(client, agency, "medic")
    actions = [row["action"] for row in await audit_of(admin_connection, uuid.UUID(await id_of(agency, "medic")))]
    assert actions.count("user.login_failed") == PER_MINUTE
    assert actions.count("user.throttled") == 1, "one a minute: a flood does not fill the audit log"


async def test_fifty_guesses_at_once_are_five(client: httpx.AsyncClient, agency: Agency) -> None:
    answers = await asyncio.gather(*(log_in(client, agency, "medic", "wrong") for _ in range(50)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(401), statuses.count(429)) == (PER_MINUTE, 50 - PER_MINUTE)


async def test_many_addresses_get_no_more_guesses_at_one_account(app: FastAPI, agency: Agency) -> None:
    statuses = []
    for number in range(20):
        async with from_address(app, f"198.51.100.{number}") as http:
            statuses.append((await log_in(http, agency, "medic", "wrong")).status_code)
    assert statuses == [401] * PER_MINUTE + [429] * (20 - PER_MINUTE)


async def test_success_starts_afresh_and_is_never_limited(client: httpx.AsyncClient, agency: Agency) -> None:
    for _ in range(3):
        for _ in range(PER_MINUTE - 1):
            expect_refusal(await log_in(client, agency, "medic", "wrong"), 401, "UNAUTHENTICATED")
        assert (await log_in(client, agency, "medic")).status_code == 200
    for _ in range(20):
        assert (await log_in(client, agency, "medic")).status_code == 200


async def test_unknown_accounts_wait_alike(client: httpx.AsyncClient, agency: Agency) -> None:
    unknown = {"tenant_slug": agency.slug, "email": f"{uuid.uuid4().hex}@x.example", "password": "wrong"}
    nowhere = {"tenant_slug": f"no-{uuid.uuid4().hex}", "email": "a@x.example", "password": "wrong"}
    for body in (unknown, nowhere, credentials(agency, "medic", "wrong")):
        answers = [await client.post("/api/v1/auth/login", json=body) for _ in range(PER_MINUTE + 1)]
        assert [answer.status_code for answer in answers] == [401] * PER_MINUTE + [429]


async def test_spelling_of_the_address_gives_no_further_guesses(client: httpx.AsyncClient, agency: Agency) -> None:
    email = email_of(agency, "medic")
    for spelled in (email, email.upper(), email.title(), f" {email}", f"{email} "):
        body = {"tenant_slug": agency.slug, "email": spelled, "password": "wrong"}
        expect_refusal(await client.post("/api/v1/auth/login", json=body), 401, "UNAUTHENTICATED")
    expect_refusal(await log_in(client, agency, "medic", "wrong"), 429, "RATE_LIMITED")


async def test_guesses_with_a_stolen_access_token_count_too(client: httpx.AsyncClient, agency: Agency) -> None:
    medic = await signed_in(client, agency)
    body = {"current_password": "wrong", "new_password": STRONG}
    for _ in range(PER_MINUTE):
        expect_refusal(await medic.post("auth/password/change", json=body), 422, "VALIDATION_FAILED")
    expect_refusal(await medic.post("auth/password/change", json=body), 429, "RATE_LIMITED")
    expect_refusal(await log_in(client, agency, "medic"), 429, "RATE_LIMITED")


async def test_link_by_mail_is_the_way_out(
    client: httpx.AsyncClient, agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    """Who is kept waiting by somebody else's guesses resets the password, and is let in."""
    for _ in range(PER_MINUTE + 1):
        await log_in(client, agency, "medic", "wrong")
    await ask_for_link(client, agency.slug, email_of(agency, "medic"))
    [link] = await links_of(admin_connection, runtime, await id_of(agency, "medic"))
    assert (await reset(client, link)).status_code == 204
    assert (await log_in(client, agency, "medic", STRONG)).status_code == 200


async def test_address_that_failed_too_often_waits_and_others_do_not(settings: Settings, agency: Agency) -> None:
    """Sprayed over many accounts; the successes of a station do not count."""
    few = settings.model_copy(update={"address_failures": 6})
    attacker, station = f"203.0.113.{uuid.uuid4().int % 250}", f"192.0.2.{uuid.uuid4().int % 250}"
    async with another_app(few) as (app, _):
        async with from_address(app, station) as http:
            for _ in range(8):
                assert (await log_in(http, agency, "medic")).status_code == 200
        async with from_address(app, attacker) as http:
            for number in range(2):
                body = {"tenant_slug": agency.slug, "email": f"{number}@x.example", "password": "wrong"}
                expect_refusal(await http.post("/api/v1/auth/login", json=body), 401, "UNAUTHENTICATED")
            for path, body in (
                ("refresh", {"refresh_token": "x"}),
                ("password/reset", {"token": "x", "new_password": STRONG}),
                ("refresh", {"refresh_token": "x"}),
                ("password/reset", {"token": "x", "new_password": STRONG}),
            ):
                expect_refusal(await http.post(f"/api/v1/auth/{path}", json=body), 401, "UNAUTHENTICATED")
            for path, body in (
                ("login", credentials(agency, "partner")),
                ("refresh", {"refresh_token": "x"}),
                ("password/reset", {"token": "x", "new_password": STRONG}),
                ("password/forgot", {"tenant_slug": agency.slug, "email": email_of(agency, "partner")}),
            ):
                refused = await http.post(f"/api/v1/auth/{path}", json=body)
                expect_refusal(refused, 429, "RATE_LIMITED")
                assert 1 <= int(refused.headers["retry-after"]) <= 900
            token = agency.partner.token
            change = {"current_password": "wrong", "new_password": ANOTHER}
            headers = {"Authorization": f"Bearer {token}"}
            refused = await http.post("/api/v1/auth/password/change", json=change, headers=headers)
            expect_refusal(refused, 429, "RATE_LIMITED")
        async with from_address(app, station) as http:
            assert (await log_in(http, agency, "partner")).status_code == 200


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    assert settings.redis_url is not None
    connected = Redis.from_url(settings.redis_url.get_secret_value())
    yield connected
    await connected.aclose()


async def test_redis_holds_no_address_and_forgets(client: httpx.AsyncClient, agency: Agency, redis: Redis) -> None:
    await log_in(client, agency, "medic", "wrong")
    held = [key async for key in redis.scan_iter("fusionems:throttle:*")]
    assert held
    assert not [key for key in held if agency.slug.encode() in key or b"@" in key or b"127.0.0.1" in key]
    assert all([await redis.ttl(key) != -1 for key in held]), "every counter ends by itself"


async def test_with_redis_away_login_works_under_stricter_limits(settings: Settings, agency: Agency) -> None:
    """Nothing listens there; it is not asked again for every request."""
    lost = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0")})
    async with another_app(lost) as (_, http):
        assert (await log_in(http, agency, "medic")).status_code == 200
        statuses = [(await log_in(http, agency, "medic", "wrong")).status_code for _ in range(PER_MINUTE)]
        strict = stricter(ACCOUNT_WINDOWS[Attempt.PASSWORD])[0].amount
        assert strict < PER_MINUTE
        assert statuses == [401] * strict + [429] * (PER_MINUTE - strict)
        refused = await log_in(http, agency, "medic")
        expect_refusal(refused, 429, "RATE_LIMITED")
        assert (await log_in(http, agency, "partner")).status_code == 200


async def test_redis_that_hangs_is_asked_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    connections = 0

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.read()
        writer.close()

    monkeypatch.setattr(module, "REDIS_SECONDS", 0.05)
    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    redis = Redis.from_url(f"redis://127.0.0.1:{port}/0")
    throttle = Throttle(redis, Keyring(b"k" * 32), address_failures=10)
    try:
        for number in range(10):
            await throttle.attempt(Attempt.PASSWORD, "agency", f"{number}@x.example")
        assert connections == 1
    finally:
        await redis.aclose()
        server.close()
        await server.wait_closed()


async def test_redis_that_comes_back_is_used_again(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    throttle = Throttle(redis, Keyring(uuid.uuid4().bytes * 2), address_failures=10)
    throttle._away_until = time.monotonic() + 3600
    await throttle.attempt(Attempt.FORGOT, "agency", "a@x.example")
    with pytest.raises(RateLimited):
        await throttle.attempt(Attempt.FORGOT, "agency", "a@x.example")
    throttle._away_until = float("-inf")
    for _ in range(3):
        await throttle.attempt(Attempt.FORGOT, "agency", "a@x.example")
    with pytest.raises(RateLimited):
        await throttle.attempt(Attempt.FORGOT, "agency", "a@x.example")


async def test_waits_grow_and_end() -> None:
    """From a minute to a quarter of an hour to the rest of the day: never for good."""
    for windows in (*ACCOUNT_WINDOWS.values(), address_windows(100)):
        expiries = [window.get_expiry() for window in windows]
        amounts = [window.amount for window in windows]
        assert expiries == sorted(set(expiries)) and expiries[-1] <= 86_400
        assert amounts == sorted(set(amounts))
        for window, strict in zip(windows, stricter(windows), strict=True):
            assert 1 <= strict.amount < window.amount and strict.get_expiry() == window.get_expiry()


async def test_refused_attempts_do_not_lengthen_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood fills the shortest window; the longer ones count only what was tried."""
    throttle = Throttle(None, Keyring(b"k" * 32), address_failures=10)
    windows: tuple[RateLimitItem, ...] = stricter(ACCOUNT_WINDOWS[Attempt.PASSWORD])
    for _ in range(200):
        try:
            await throttle.attempt(Attempt.PASSWORD, "agency", "a@x.example")
        except RateLimited as refused:
            assert int(refused.headers["Retry-After"]) <= 60
    key = throttle._account_key(Attempt.PASSWORD, "agency", "a@x.example")
    left = [(await throttle._own.limiter.get_window_stats(window, key)).remaining for window in windows]
    assert left[0] <= 0 and left[1] == windows[1].amount - windows[0].amount


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        (None, ""),
    ],
)
async def test_address_of_a_request(given: str | None, taken: str) -> None:
    request: Any = type("Request", (), {"client": None if given is None else type("Client", (), {"host": given})})
    assert await client_address(request) == taken


def test_keys_of_different_things_differ() -> None:
    throttle = Throttle(None, Keyring(b"k" * 32), address_failures=10)
    parts = [("password", "a", "b"), ("forgot", "a", "b"), ("password", "ab", ""), ("address", "a"), ("password", "a")]
    keys = [throttle._key(*part) for part in parts]
    assert all(first != second for first, second in itertools.combinations(keys, 2))
