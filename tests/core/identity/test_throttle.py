"""Guesses count where they come from, with and without Redis; no limit is a weapon against whom it protects."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from fastapi import FastAPI, Request
from pydantic import SecretStr
from redis.asyncio import Redis

from app.core.auth import throttle as module
from app.core.auth.service import Login
from app.core.auth.throttle import (
    SOURCE_WINDOWS,
    STRANGER_WINDOWS,
    Account,
    AccountLimited,
    Attempt,
    Count,
    Origin,
    OwnCounters,
    Throttle,
    Window,
    address_windows,
    client_address,
    stricter,
)
from app.core.config import Settings
from app.core.errors import RateLimited, ServiceUnavailable
from app.core.keys import Keyring
from app.core.runtime import Runtime
from tests.core.evidence import audit_of
from tests.core.http.contract import expect_refusal
from tests.core.identity.conftest import another_app
from tests.core.identity.people import (
    STRONG,
    ask_for_link,
    credentials,
    email_of,
    from_address,
    id_of,
    links_of,
    log_in,
    reset,
    signed_in,
)
from tests.support.actors import Agency

PER_MINUTE = SOURCE_WINDOWS[Attempt.PASSWORD][0].amount
STRANGERS = STRANGER_WINDOWS[Attempt.PASSWORD][0].amount
QUARTER = 900
LOGIN = "/api/v1/auth/login"


async def nobody() -> str | None:
    """No account has this name."""
    return None


async def hashed() -> str | None:
    return "hash"


async def refused_wait(answer: httpx.Response) -> int:
    expect_refusal(answer, 429, "RATE_LIMITED")
    return int(answer.headers["retry-after"])


async def guesses(app: FastAPI, agency: Agency, name: str, addresses: list[str], each: int = 1) -> list[int]:
    """Wrong passwords from each of the addresses, one after the other."""
    statuses = []
    for address in addresses:
        async with from_address(app, address) as http:
            statuses += [(await log_in(http, agency, name, "wrong")).status_code for _ in range(each)]
    return statuses


def addresses(number: int) -> list[str]:
    """Addresses that nobody else uses."""
    return [f"2001:db8:{uuid.uuid4().hex[:4]}:{uuid.uuid4().hex[:4]}::1" for _ in range(number)]


async def test_source_waits_after_five_failures_even_with_the_right_password(
    client: httpx.AsyncClient, agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    for _ in range(PER_MINUTE):
        expect_refusal(await log_in(client, agency, "medic", "wrong"), 401, "UNAUTHENTICATED")
    assert 1 <= await refused_wait(await log_in(client, agency, "medic")) <= 60
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


async def test_one_address_leaves_room_for_another(app: FastAPI, agency: Agency) -> None:
    """Guesses from one address keep nobody else waiting, although nobody ever signed in from either."""
    attacker, owner = addresses(2)
    assert await guesses(app, agency, "medic", [attacker], 8) == [401] * PER_MINUTE + [429] * 3
    async with from_address(app, owner) as http:
        assert (await log_in(http, agency, "medic")).status_code == 200


async def test_many_addresses_get_few_guesses_at_one_account(app: FastAPI, agency: Agency) -> None:
    statuses = await guesses(app, agency, "medic", addresses(STRANGERS + 5))
    assert statuses == [401] * STRANGERS + [429] * 5


async def test_owner_is_let_in_where_the_user_was_before_and_elsewhere_after_a_quarter_of_an_hour(
    app: FastAPI, agency: Agency
) -> None:
    """Strangers have filled every window of the account."""
    home, elsewhere = addresses(2)
    async with from_address(app, home) as http:
        device = (await signed_in(http, agency)).device_token
    await guesses(app, agency, "medic", addresses(STRANGERS + 10))
    async with from_address(app, home) as http:
        for _ in range(12):
            assert (await log_in(http, agency, "medic")).status_code == 200
    async with from_address(app, elsewhere) as http:
        wait = await refused_wait(await log_in(http, agency, "medic"))
        assert QUARTER - 60 < wait <= QUARTER, "the wait that is announced is the one of the window that ends last"
        body = {**credentials(agency, "medic"), "device_token": device}
        assert (await http.post(LOGIN, json=body)).status_code == 200, "the device was there before"
        assert (await log_in(http, agency, "medic")).status_code == 200, "and now the address was, too"


async def test_wait_of_the_longest_full_window_is_announced(app: FastAPI, agency: Agency, redis: Redis) -> None:
    """The minute's window and the quarter's are full: the quarter's counts."""
    address = addresses(1)[0]
    assert await guesses(app, agency, "medic", [address], PER_MINUTE + 1) == [401] * PER_MINUTE + [429]
    await expire(redis, 60)
    assert await guesses(app, agency, "medic", [address], PER_MINUTE) == [401] * PER_MINUTE
    async with from_address(app, address) as http:
        wait = await refused_wait(await log_in(http, agency, "medic"))
    assert 60 < wait <= QUARTER


async def expire(redis: Redis, seconds: int) -> None:
    """End every window of this length."""
    for key in [key async for key in redis.scan_iter("fusionems:throttle:*")]:
        if 0 < await redis.ttl(key) <= seconds:
            await redis.delete(key)


async def test_familiar_device_has_guesses_of_its_own_and_no_more(app: FastAPI, agency: Agency) -> None:
    """Somebody stole the tablet: they guess as seldom as anybody, and keep nobody else waiting."""
    home, thief = addresses(2)
    async with from_address(app, home) as http:
        device = (await signed_in(http, agency)).device_token
    async with from_address(app, thief) as http:
        body = {**credentials(agency, "medic", "wrong"), "device_token": device}
        statuses = [(await http.post(LOGIN, json=body)).status_code for _ in range(8)]
        assert statuses == [401] * PER_MINUTE + [429] * 3
        right = {**credentials(agency, "medic"), "device_token": device}
        expect_refusal(await http.post(LOGIN, json=right), 429, "RATE_LIMITED")
    async with from_address(app, home) as http:
        assert (await log_in(http, agency, "medic")).status_code == 200


@pytest.mark.parametrize("spoil", ["another account", "another password", "forged", "expired"])
async def test_device_token_is_worth_nothing_elsewhere(
    app: FastAPI, agency: Agency, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    """Then its holder is a stranger, and waits for what strangers did."""
    account, origin = Account(agency.slug, email_of(agency, "medic")), Origin(addresses(1)[0])
    if spoil == "another account":
        account = Account(agency.slug, email_of(agency, "partner"))
    if spoil == "expired":
        monkeypatch.setattr(module, "FAMILIAR_SECONDS", -1)
    hashed = (
        "another"
        if spoil == "another password"
        else await Login(runtime, Account(agency.slug, email_of(agency, "medic"))).find_hash() or ""
    )
    token = runtime.throttle.device_token(account, origin, hashed)
    if spoil == "forged":
        token = token[:-3] + ("AAA" if token[-3:] != "AAA" else "BBB")
    await guesses(app, agency, "medic", addresses(STRANGERS))
    async with from_address(app, origin.address) as http:
        body = {**credentials(agency, "medic"), "device_token": token}
        expect_refusal(await http.post(LOGIN, json=body), 429, "RATE_LIMITED")


async def test_new_password_makes_strangers_of_those_who_knew_the_old_one(
    app: FastAPI, agency: Agency, runtime: Runtime
) -> None:
    old, present = addresses(2)
    async with from_address(app, old) as http:
        former = await signed_in(http, agency)
    async with from_address(app, present) as http:
        medic = await signed_in(http, agency)
        body = {"current_password": agency.passwords[email_of(agency, "medic")], "new_password": STRONG}
        await medic.expect(204, "POST", "auth/password/change", json=body)
    await guesses(app, agency, "medic", addresses(STRANGERS))
    async with from_address(app, old) as http:
        body = {**credentials(agency, "medic", STRONG), "device_token": former.device_token}
        expect_refusal(await http.post(LOGIN, json=body), 429, "RATE_LIMITED")
    async with from_address(app, present) as http:
        assert (await log_in(http, agency, "medic", STRONG)).status_code == 200


async def test_success_starts_afresh_and_is_never_limited(client: httpx.AsyncClient, agency: Agency) -> None:
    for _ in range(3):
        for _ in range(PER_MINUTE - 1):
            expect_refusal(await log_in(client, agency, "medic", "wrong"), 401, "UNAUTHENTICATED")
        assert (await log_in(client, agency, "medic")).status_code == 200
    for _ in range(20):
        assert (await log_in(client, agency, "medic")).status_code == 200


async def test_owners_success_gives_strangers_no_further_guesses(app: FastAPI, agency: Agency) -> None:
    [home] = addresses(1)
    assert set(await guesses(app, agency, "medic", addresses(STRANGERS - 1))) == {401}
    async with from_address(app, home) as http:
        for _ in range(3):
            assert (await log_in(http, agency, "medic")).status_code == 200
    assert await guesses(app, agency, "medic", addresses(3)) == [401, 429, 429]


async def test_unknown_accounts_wait_alike(client: httpx.AsyncClient, agency: Agency) -> None:
    unknown = {"tenant_slug": agency.slug, "email": f"{uuid.uuid4().hex}@x.example", "password": "wrong"}
    nowhere = {"tenant_slug": f"no-{uuid.uuid4().hex}", "email": "a@x.example", "password": "wrong"}
    for body in (unknown, nowhere, credentials(agency, "medic", "wrong")):
        answers = [await client.post("/api/v1/auth/login", json=body) for _ in range(PER_MINUTE + 1)]
        assert [answer.status_code for answer in answers] == [401] * PER_MINUTE + [429]


async def test_spelling_of_the_account_gives_no_further_guesses(client: httpx.AsyncClient, agency: Agency) -> None:
    email, slug = email_of(agency, "medic"), agency.slug
    for agency_spelled, spelled in (
        (slug, email.upper()),
        (slug.upper(), email.title()),
        (slug.title(), f" {email}"),
        (f" {slug}", f"{email} "),
        (f"{slug}\u00a0", email),
    ):
        body = {"tenant_slug": agency_spelled, "email": spelled, "password": "wrong"}
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
    """Sprayed over many accounts; the successes of a station do not count, and who is known there is let in."""
    few = settings.model_copy(update={"address_failures": 6})
    station, other = addresses(2)
    async with another_app(few) as (app, _):
        async with from_address(app, station) as http:
            for _ in range(8):
                assert (await log_in(http, agency, "medic")).status_code == 200
            for number in range(4):
                body = {"tenant_slug": agency.slug, "email": f"{number}@x.example", "password": "wrong"}
                expect_refusal(await http.post(LOGIN, json=body), 401, "UNAUTHENTICATED")
            guessed = {"refresh": {"refresh_token": "x"}, "password/reset": {"token": "x", "new_password": STRONG}}
            for path, body in guessed.items():
                expect_refusal(await http.post(f"/api/v1/auth/{path}", json=body), 401, "UNAUTHENTICATED")
            strangers = {
                "login": credentials(agency, "partner"),
                "password/forgot": {"tenant_slug": agency.slug, "email": email_of(agency, "partner")},
            }
            for path, body in (guessed | strangers).items():
                assert 1 <= await refused_wait(await http.post(f"/api/v1/auth/{path}", json=body)) <= QUARTER
            assert (await log_in(http, agency, "medic")).status_code == 200
        async with from_address(app, other) as http:
            assert (await log_in(http, agency, "partner")).status_code == 200


async def test_two_hundred_guesses_at_once_are_as_many_as_the_address_may_make(
    settings: Settings, agency: Agency
) -> None:
    """Each on another account: counted before they are judged, by Redis and by the process alone."""
    limit = 20
    few = settings.model_copy(update={"address_failures": limit})
    lost = few.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0")})
    for chosen, expected in ((few, limit), (lost, limit // 2)):
        async with another_app(chosen) as (app, _), from_address(app, addresses(1)[0]) as http:
            bodies = [
                {"tenant_slug": agency.slug, "email": f"{number}@x.example", "password": "wrong"}
                for number in range(200)
            ]
            answers = await asyncio.gather(*(http.post(LOGIN, json=body) for body in bodies))
            assert 200 - [answer.status_code for answer in answers].count(429) == expected


async def test_logged_out_tablet_keeps_nobody_waiting(settings: Settings, agency: Agency) -> None:
    """It sends its sealed token again and again; those behind the same address sign in, refresh and reset."""
    few = settings.model_copy(update={"address_failures": 5})
    async with another_app(few) as (app, _), from_address(app, addresses(1)[0]) as http:
        tablet, neighbour = await signed_in(http, agency), await signed_in(http, agency, "partner")
        await tablet.expect(204, "POST", "auth/logout")
        for _ in range(12):
            expect_refusal(await tablet.refresh(), 401, "UNAUTHENTICATED")
        await neighbour.renew()
        assert (await log_in(http, agency, "biller")).status_code == 200
        for _ in range(5):
            expect_refusal(await tablet.refresh("guess"), 401, "UNAUTHENTICATED")
        expect_refusal(await tablet.refresh("guess"), 429, "RATE_LIMITED")
        await neighbour.renew()


async def test_used_link_is_no_guess(
    settings: Settings, agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    few = settings.model_copy(update={"address_failures": 5})
    async with another_app(few) as (app, _), from_address(app, addresses(1)[0]) as http:
        await ask_for_link(http, agency.slug, email_of(agency, "medic"))
        [link] = await links_of(admin_connection, runtime, await id_of(agency, "medic"))
        assert (await reset(http, link)).status_code == 204
        for _ in range(6):
            expect_refusal(await reset(http, link), 401, "UNAUTHENTICATED")
        assert (await log_in(http, agency, "partner")).status_code == 200


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    assert settings.redis_url is not None
    connected = Redis.from_url(settings.redis_url.get_secret_value(), decode_responses=True)
    yield connected
    await connected.aclose()


async def test_redis_holds_no_address_and_forgets(client: httpx.AsyncClient, agency: Agency, redis: Redis) -> None:
    await log_in(client, agency, "medic", "wrong")
    held = [key async for key in redis.scan_iter("fusionems:throttle:*")]
    assert held
    assert not [key for key in held if agency.slug in key or "@" in key or "127.0.0.1" in key]
    assert all([await redis.ttl(key) != -1 for key in held]), "every counter ends by itself"


async def test_with_redis_away_login_works_under_stricter_limits(settings: Settings, agency: Agency) -> None:
    """Nothing listens there; it is not asked again for every request."""
    lost = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0")})
    async with another_app(lost) as (_, http):
        assert (await log_in(http, agency, "medic")).status_code == 200
        statuses = [(await log_in(http, agency, "medic", "wrong")).status_code for _ in range(PER_MINUTE)]
        strict = stricter(SOURCE_WINDOWS[Attempt.PASSWORD][0]).amount
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
    throttle = Throttle(redis, Keyring(b"k" * 32), address_failures=100)
    try:
        for number in range(10):
            await throttle.attempt(
                Attempt.PASSWORD, Account("agency", f"{number}@x.example"), Origin("192.0.2.1"), nobody
            )
        assert connections == 1
    finally:
        await redis.aclose()
        server.close()
        await server.wait_closed()


async def test_redis_that_comes_back_is_used_again(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    throttle = Throttle(redis, Keyring(uuid.uuid4().bytes * 2), address_failures=10)
    asked, origin = Account("agency", "a@x.example"), Origin("192.0.2.1")
    throttle._away_until = time.monotonic() + 3600
    await throttle.attempt(Attempt.FORGOT, asked, origin, nobody)
    with pytest.raises(RateLimited):
        await throttle.attempt(Attempt.FORGOT, asked, origin, nobody)
    throttle._away_until = float("-inf")
    for _ in range(3):
        await throttle.attempt(Attempt.FORGOT, asked, origin, nobody)
    with pytest.raises(RateLimited):
        await throttle.attempt(Attempt.FORGOT, asked, origin, nobody)


async def test_sign_in_is_familiar_to_this_process_while_redis_is_away() -> None:
    throttle = Throttle(None, Keyring(b"k" * 32), address_failures=1)
    medic, home = Account("agency", "a@x.example"), Origin("192.0.2.1")
    counted = await throttle.attempt(Attempt.PASSWORD, medic, home, hashed)
    await throttle.succeeded(counted, medic, home, "hash")
    await throttle.guess(home.address)
    with pytest.raises(RateLimited):
        await throttle.guess(home.address)
    with pytest.raises(RateLimited):
        await throttle.attempt(Attempt.PASSWORD, Account("agency", "b@x.example"), home, hashed)
    await throttle.attempt(Attempt.PASSWORD, medic, home, hashed)


async def test_familiar_addresses_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 3)
    throttle = Throttle(None, Keyring(b"k" * 32), address_failures=1)
    for number in range(5):
        await throttle.remember(Account("agency", f"{number}@x.example"), Origin("192.0.2.1"), "hash")
    assert len(throttle._familiar) == 3


async def test_refusal_of_an_address_does_not_report_the_account() -> None:
    """Reporting asks the database for the account: those who spray would make it work for each refusal."""
    throttle = Throttle(None, Keyring(b"k" * 32), address_failures=20)
    origin = Origin("192.0.2.1")
    for number in range(10):
        await throttle.attempt(Attempt.PASSWORD, Account("agency", f"{number}@x.example"), origin, nobody)
    with pytest.raises(RateLimited) as refused:
        await throttle.attempt(Attempt.PASSWORD, Account("agency", "x@x.example"), origin, nobody)
    assert not isinstance(refused.value, AccountLimited)
    sprayed = Account("agency", "sprayed@x.example")
    for number in range(10):
        await throttle.attempt(Attempt.PASSWORD, sprayed, Origin(f"198.51.100.{number}"), nobody)
    with pytest.raises(AccountLimited):
        await throttle.attempt(Attempt.PASSWORD, sprayed, Origin("198.51.100.99"), nobody)


async def test_familiar_is_who_was_there_with_the_present_password_wherever_that_is_known(redis: Redis) -> None:
    """Another process took the new password; this one remembers the old."""
    keys = Keyring(uuid.uuid4().bytes * 2)
    first, second = (Throttle(redis, keys, address_failures=1) for _ in range(2))
    medic, home = Account("agency", "a@x.example"), Origin("192.0.2.1")
    await first.remember(medic, home, "old")
    await second.remember(medic, home, "hash")
    for _ in range(3):
        assert not (await first.attempt(Attempt.PASSWORD, medic, home, hashed)).shared


def test_no_wait_is_longer_than_a_quarter_of_an_hour() -> None:
    for windows in (*SOURCE_WINDOWS.values(), *STRANGER_WINDOWS.values(), address_windows(100)):
        for window in windows:
            assert window.seconds <= QUARTER
            assert 1 <= stricter(window).amount < window.amount and stricter(window).seconds == window.seconds


async def test_refused_and_unjudged_tries_do_not_count() -> None:
    """A flood fills the shortest window; the longer ones, and those of others, count only what was judged."""
    throttle = Throttle(None, Keyring(b"k" * 32), address_failures=1000)
    account, origin = Account("agency", "a@x.example"), Origin("192.0.2.1")

    async def attempt() -> bool:
        try:
            await throttle.attempt(Attempt.PASSWORD, account, origin, nobody)
        except RateLimited as refused:
            assert int(refused.headers["Retry-After"]) <= 60
            return False
        return True

    judged = await asyncio.gather(*(attempt() for _ in range(200)))
    strict = stricter(SOURCE_WINDOWS[Attempt.PASSWORD][0]).amount
    assert sum(judged) == strict
    counts = (
        throttle._counts(SOURCE_WINDOWS[Attempt.PASSWORD][1:], Attempt.PASSWORD, *account, f"address {origin.address}")
        + throttle._counts(STRANGER_WINDOWS[Attempt.PASSWORD], Attempt.PASSWORD, *account)
        + throttle._counts(throttle._address, "address", origin.address)
    )
    held = throttle._own._held
    assert [held[count][0] for count in counts] == [strict] * 3
    counted = await throttle.attempt(Attempt.FORGOT, account, origin, nobody)
    await throttle.unjudged(counted)
    assert {held[count][0] for count in counted.own} == {0}
    assert held[counts[-1]][0] == strict


async def test_windows_of_this_process_end_and_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return now

    monkeypatch.setattr(module, "time", Clock)
    counters, minute, quarter = OwnCounters(), Count(Window(4, 60), "a"), Count(Window(8, 900), "a")
    for expected in (None, None, (0, 60)):
        assert await counters.take([minute, quarter]) == expected
    now += 30
    assert await counters.take([minute, quarter]) == (0, 30)
    now += 30
    for expected in (None, None, (0, 840), (0, 840)):
        assert await counters.take([minute, quarter]) == expected, "both are full, and the quarter ends last"
    now += 60
    assert await counters.take([minute, quarter]) == (1, 780)
    now += 60
    other = Count(Window(2, 60), "b")
    assert [await counters.take([other]), await counters.take([other])] == [None, (0, 60)]
    now += 59
    assert await counters.take([minute]) is None
    now += 2
    assert await counters.take([other]) is None, "it has ended, although nothing was swept since"
    now += 1000
    assert await counters.take([minute]) is None
    assert list(counters._held) == [minute]


async def test_full_line_of_passwords_is_not_a_guess(
    client: httpx.AsyncClient, agency: Agency, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is turned away unjudged has all tries left."""

    async def full(password: str, stored: str | None) -> bool:
        raise ServiceUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(runtime.passwords, "verify", full)
        for _ in range(3 * PER_MINUTE):
            expect_refusal(await log_in(client, agency, "medic"), 503, "SERVICE_UNAVAILABLE")
    assert (await log_in(client, agency, "medic")).status_code == 200


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
async def test_address_of_a_request(app: FastAPI, given: str | None, taken: str) -> None:
    client = None if given is None else (given, 1)
    assert await client_address(Request({"type": "http", "headers": [], "client": client, "app": app})) == taken


def test_keys_of_different_things_differ() -> None:
    throttle = Throttle(None, Keyring(b"k" * 32), address_failures=10)
    parts = [("password", "a", "b"), ("forgot", "a", "b"), ("password", "ab", ""), ("address", "a"), ("password", "a")]
    keys = [throttle._key(*part) for part in parts]
    assert all(first != second for first, second in itertools.combinations(keys, 2))
