"""Who may connect and open a channel, and what each role gets. A refusal tells nothing about what exists."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.core.auth.tokens import SigningKeys, TokenService
from app.core.outbox.relay import OutboxRelay
from app.core.permissions import Permission, Principal, Role
from app.core.runtime import Runtime
from app.realtime.router import PATH
from app.realtime.service import REALTIME, Realtime
from app.registry import TOPICS
from tests.core.waiting import expect_eventually
from tests.realtime.calls import a_call, a_published_call, broadcast_topics, channel_of, put_event, revise, worklist_of
from tests.realtime.wire import dial, join
from tests.support.actors import ROLES, Agency

ROLE_NAMES = tuple(ROLES)


def principal_of(runtime: Runtime, agency: Agency, name: str) -> Principal:
    token = agency.actors[name].token
    assert token is not None
    return runtime.tokens.verify(token)


@pytest.mark.parametrize("name", ROLE_NAMES)
async def test_each_role_gets_the_topics_whose_permission_it_holds_and_sees_no_gap(
    name: str,
    port: int,
    agency: Agency,
    runtime: Runtime,
    relay: OutboxRelay,
    publisher: OutboxRelay,
    admin_connection: asyncpg.Connection,
) -> None:
    call = await a_published_call(agency, relay)
    user = principal_of(runtime, agency, name)
    topics = [topic for topic in broadcast_topics() if topic.broadcast is not None and topic.broadcast.of_chart]
    mine = [topic for topic in topics if topic.broadcast is not None and topic.broadcast.permission.held_by(user)]
    async with join(port, agency.actors[name].token) as wire:
        opened = await wire.subscribe(channel_of(agency, call))
        before = opened["streams"]
        assert set(before) == {topic.broadcast.permission.name for topic in mine if topic.broadcast}
        for version in (1, 2, 3):
            for topic in topics:
                await put_event(admin_connection, agency, topic, call["id"], version)
        await publisher.drain()
        heard = await wire.events(3 * len(mine))
        assert await wire.quiet() == [], "nothing else"
    assert {event["topic"] for event in heard} == {topic.name for topic in mine}
    for stream, reached in before.items():
        sequences = [event["sequence"] for event in heard if event["stream"] == stream]
        assert sequences == list(range(reached + 1, reached + 1 + len(sequences)))
        assert len(sequences) % 3 == 0 and sequences


@pytest.mark.parametrize("name", ROLE_NAMES)
async def test_worklists_open_for_those_who_may_read_their_entities(
    name: str, port: int, agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    user = principal_of(runtime, agency, name)
    worklists: dict[str, set[Permission]] = {}
    for topic in TOPICS:
        if topic.broadcast is not None:
            worklists.setdefault(topic.broadcast.worklist.name, set()).add(topic.broadcast.permission)
    assert set(worklists) >= {"incidents", "claims", "nemsis", "payments"}
    refused = []
    async with join(port, agency.actors[name].token) as wire:
        for worklist, permissions in worklists.items():
            answer = await wire.subscribe(worklist_of(agency, worklist))
            mine = {permission.name for permission in permissions if permission.held_by(user)}
            if mine:
                assert answer["type"] == "subscribed" and set(answer["streams"]) == mine
            else:
                assert (answer["type"], answer["code"]) == ("error", "FORBIDDEN")
                refused.append(min(permission.name for permission in permissions))
        assert await wire.quiet() == []
    denials = await admin_connection.fetch(
        "SELECT metadata_json->>'permission' AS permission, metadata_json->>'method' AS method FROM audit_events"
        " WHERE tenant_id = $1 AND action = 'access.denied'",
        agency.tenant_id,
    )
    assert sorted(row["permission"] for row in denials) == sorted(refused)
    assert all(row["method"] == "SUBSCRIBE" for row in denials)


async def test_unknown_foreign_and_malformed_channels_are_answered_alike(
    port: int, agency: Agency, found: Callable[[], Awaitable[Agency]], relay: OutboxRelay
) -> None:
    other = await found()
    mine, theirs = await a_published_call(agency, relay), await a_published_call(other, relay)
    names = [
        channel_of(other, theirs),
        worklist_of(other, "incidents"),
        f"incident:{agency.tenant_id}:{theirs['id']}",
        f"incident:{other.tenant_id}:{mine['id']}",
        f"incident:{agency.tenant_id}:{uuid.uuid4()}",
        f"incident:{agency.tenant_id}:incidents",
        f"tenant:{agency.tenant_id}:{mine['id']}",
        f"tenant:{agency.tenant_id}:nothing",
        f"incident:{str(agency.tenant_id).upper()}:{mine['id']}",
        f"incident:{agency.tenant_id}:{mine['id']}:",
        f"incident:{agency.tenant_id}:{mine['id']}\n",
        f" incident:{agency.tenant_id}:{mine['id']}",
        "incident:*:*",
        "",
        "incident",
    ]
    answers = set()
    async with join(port, agency.admin.token) as wire:
        for name in names:
            answer = await wire.subscribe(name)
            assert (answer.pop("about") in (name, "subscribe"), answer.pop("refused")) == (True, "subscribe")
            answers.add(tuple(sorted(answer.items())))
        assert answers == {(("code", "NOT_FOUND"), ("message", "Not found."), ("type", "error"))}
        await a_call(other.medic)
        await relay.drain()
        assert await wire.quiet() == []


async def test_event_of_a_foreign_channel_opens_nothing(
    port: int, agency: Agency, found: Callable[[], Awaitable[Agency]], relay: OutboxRelay
) -> None:
    other = await found()
    mine, theirs = await a_published_call(agency, relay), await a_published_call(other, relay)
    async with join(port, other.medic.token) as wire:
        foreign = (await wire.subscribe(channel_of(other, theirs)))["last_event_id"]
    async with join(port, agency.medic.token) as wire:
        answer = await wire.subscribe(channel_of(agency, mine), foreign)
        assert (answer["type"], answer["reason"], answer["streams"]["chart.read"]) == ("resync", "unknown_event", 1)
        assert await wire.quiet() == []


async def test_event_that_the_user_may_not_read_is_unknown_to_him(
    port: int, agency: Agency, relay: OutboxRelay, publisher: OutboxRelay, admin_connection: asyncpg.Connection
) -> None:
    call = await a_published_call(agency, relay)
    claim = next(topic for topic in TOPICS if topic.name == "claim.updated")
    hidden = await put_event(admin_connection, agency, claim, call["id"], 1)
    await publisher.drain()
    async with join(port, agency.medic.token) as wire:
        opened = await wire.subscribe(channel_of(agency, call))
        assert opened["last_event_id"] != hidden
        answer = await wire.subscribe(channel_of(agency, call), hidden)
        assert (answer["type"], answer["reason"]) == ("resync", "unknown_event")


async def test_deleted_chart_is_there_for_those_who_may_restore_it(
    port: int, agency: Agency, relay: OutboxRelay
) -> None:
    call = await a_published_call(agency, relay)
    query = {"version": call["version"], "reason": "duplicate"}
    await agency.admin.expect(204, "DELETE", f"ems/incidents/{call['id']}", params=query)
    for name, kind in (("medic", "error"), ("biller", "error"), ("admin", "subscribed")):
        async with join(port, agency.actors[name].token) as wire:
            assert (await wire.subscribe(channel_of(agency, call)))["type"] == kind, name


# Tokens


def issued(tokens: TokenService, user: Principal, seconds: int = 600, **changes: object) -> str:
    """A token of `user`, with changed claims."""
    claims = {
        "user_id": user.user_id,
        "tenant_id": user.tenant_id,
        "role": user.role,
        "is_reviewer": user.is_reviewer,
        "session_id": user.session_id,
    }
    return tokens.issue(**{**claims, **changes}, seconds=seconds)  # type: ignore[arg-type]


def token_of(runtime: Runtime, agency: Agency, name: str, seconds: int, **changes: object) -> str:
    return issued(runtime.tokens, principal_of(runtime, agency, name), seconds, **changes)


def forged(agency: Agency, runtime: Runtime) -> str:
    """A token of the medic that was signed by somebody else."""
    stranger = TokenService(SigningKeys.generate(), seconds=600, issuer=None)
    return issued(stranger, principal_of(runtime, agency, "medic"))


@pytest.mark.parametrize("kind", ["empty", "nonsense", "forged", "key", "refresh", "truncated"])
async def test_bad_token_ends_the_connection_and_tells_nothing(
    kind: str, port: int, agency: Agency, runtime: Runtime
) -> None:
    token = agency.medic.token or ""
    bad = {
        "empty": "",
        "nonsense": "x" * 200,
        "forged": forged(agency, runtime),
        "key": f"fek_{uuid.uuid4().hex}{uuid.uuid4().hex}",
        "refresh": "eyJhbGciOiJub25lIn0.e30.",
        "truncated": token[:-4],
    }[kind]
    async with dial(port) as wire:
        await wire.say("hello", token=bad)
        assert await wire.close_code() == 4401
        assert wire.passed == []


async def test_expired_token_is_refused(port: int, agency: Agency, runtime: Runtime) -> None:
    token = token_of(runtime, agency, "medic", -1)
    async with dial(port) as wire:
        await wire.say("hello", token=token)
        assert await wire.close_code() == 4401


async def test_token_may_come_as_a_subprotocol(port: int, agency: Agency) -> None:
    async with dial(port, subprotocols=("fusionems.v1", f"bearer.{agency.medic.token}")) as wire:
        assert wire.socket.subprotocol == "fusionems.v1", "never the one that holds the token"
        assert (await wire.hear("welcome"))["tenant_id"] == str(agency.tenant_id)
    async with dial(port, subprotocols=("fusionems.v1", "bearer.forged")) as wire:
        assert await wire.close_code() == 4401


async def test_token_in_the_address_is_refused_and_not_logged(
    port: int, agency: Agency, capfd: pytest.CaptureFixture[str]
) -> None:
    async with dial(port, path=f"/api/v1/realtime/ws?token={agency.medic.token}") as wire:
        assert await wire.close_code() == 4400
    said = capfd.readouterr()
    assert "token=" not in said.out + said.err


@pytest.mark.parametrize(
    "text", ["", "hello", "[]", "null", '{"type":"subscribe","channel":"x"}', '{"type":"hello"}', "{" * 500]
)
async def test_connection_that_does_not_begin_with_hello_is_ended(text: str, port: int) -> None:
    async with dial(port) as wire:
        await wire.socket.send(text)
        assert await wire.close_code() == 4400


async def test_welcome_names_the_user_and_the_limits(port: int, agency: Agency, runtime: Runtime) -> None:
    user = principal_of(runtime, agency, "medic")
    async with dial(port) as wire:
        welcome = await wire.hello(agency.medic.token)
    assert (welcome["user_id"], welcome["tenant_id"]) == (str(user.user_id), str(user.tenant_id))
    assert (welcome["heartbeat_seconds"], welcome["max_message_bytes"]) == (20, 4096)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", PATH, 404), ("POST", f"{PATH}?a=1", 404), ("POST", PATH, 404), ("GET", "/api/v1/auth/me", 401)],
)
async def test_only_the_declared_handshake_becomes_a_websocket(method: str, path: str, status: int, port: int) -> None:
    headers = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x" * 22 + "=="}
    if path != PATH or method != "GET":
        headers |= {"Connection": "Upgrade", "Upgrade": "websocket"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        answer = await http.request(method, path, headers=headers)
    assert answer.status_code == status and "error" in answer.json()


# Origins


@pytest.mark.parametrize(
    ("origin", "listed", "code"),
    [
        ("https://evil.example", "", 4403),
        ("null", "", 4403),
        ("https://app.example.com", "https://app.example.com", None),
        ("https://app.example.com.evil.example", "https://app.example.com", 4403),
        ("http://127.0.0.1:1", "", 4403),
    ],
)
async def test_web_pages_connect_from_allowed_origins_only(
    origin: str, listed: str, code: int | None, port: int, agency: Agency, limited: Callable[..., None]
) -> None:
    limited(realtime_origins=listed)
    async with dial(port, origin=origin) as wire:
        if code is None:
            await wire.hello(agency.medic.token)
        else:
            assert await wire.close_code() == code
            assert wire.passed == []


async def test_page_of_the_service_itself_may_connect(port: int, agency: Agency) -> None:
    async with dial(port, origin=f"http://127.0.0.1:{port}") as wire:
        assert (await wire.hello(agency.medic.token))["user_id"]


# Access that ends


async def ended(port: int, agency: Agency, name: str, act: Callable[[], Awaitable[object]]) -> int | None:
    async with join(port, agency.actors[name].token) as wire:
        await act()
        return await wire.close_code()


async def test_logout_ends_the_sockets_of_the_session_only(port: int, agency: Agency) -> None:
    async with join(port, agency.partner.token) as other:
        code = await ended(port, agency, "medic", lambda: agency.medic.expect(204, "POST", "auth/logout"))
        assert code == 4401
        assert await other.quiet() == []
    async with dial(port) as again:
        await again.say("hello", token=agency.medic.token)
        assert await again.close_code() == 4401


@pytest.mark.parametrize("change", [{"role": "billing"}, {"is_reviewer": True}])
async def test_change_of_role_ends_the_socket(
    change: dict[str, object], port: int, agency: Agency, runtime: Runtime
) -> None:
    user = principal_of(runtime, agency, "medic")

    async def demote() -> None:
        held = await agency.admin.expect(200, "GET", f"users/{user.user_id}")
        await agency.admin.expect(200, "PATCH", f"users/{user.user_id}", json={"version": held["version"], **change})

    assert await ended(port, agency, "medic", demote) == 4401


async def test_suspension_of_the_agency_ends_every_socket(
    port: int, agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    async with join(port, agency.medic.token) as medic, join(port, agency.founder.token) as founder:
        await admin_connection.execute("UPDATE tenants SET status = 'suspended' WHERE id = $1", agency.tenant_id)
        await runtime.gate.load()
        assert await medic.close_code() == 4403
        assert await founder.close_code() == 4403


async def test_nothing_is_shown_while_it_is_unknown_whose_access_was_revoked(
    port: int, agency: Agency, relay: OutboxRelay, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = await a_published_call(agency, relay)

    async def away() -> None:
        raise ConnectionError

    async with join(port, agency.partner.token) as wire:
        await wire.subscribe(channel_of(agency, call))
        await revise(agency.medic, call)
        with monkeypatch.context() as gate:
            gate.setattr(runtime.gate, "load", away)
            gate.setattr(runtime.gate, "_loaded_at", time.monotonic() - 60)
            await relay.drain()
            assert await wire.quiet() == []
        assert [event["sequence"] for event in await wire.events(1)] == [2]


# Renewal


async def test_connection_warns_before_its_token_expires_and_goes_on_with_a_fresh_one(
    port: int, agency: Agency, runtime: Runtime
) -> None:
    async with join(port, token_of(runtime, agency, "medic", 3)) as wire:
        await wire.hear("expiring")
        await wire.say("renew", token=token_of(runtime, agency, "medic", 600))
        renewed = await wire.hear("renewed")
        await asyncio.sleep(4)
        assert await wire.quiet() == []
        assert renewed["expires_at"]


async def test_connection_ends_with_its_token(port: int, agency: Agency, runtime: Runtime) -> None:
    async with join(port, token_of(runtime, agency, "medic", 1)) as wire:
        assert await wire.close_code() == 4401


@pytest.mark.parametrize(
    "changes",
    [{"user_id": uuid.uuid4()}, {"session_id": uuid.uuid4()}, {"tenant_id": uuid.uuid4()}, {"role": Role.ADMIN}],
    ids=lambda changes: next(iter(changes)),
)
async def test_swapped_token_does_not_renew(
    changes: dict[str, object], port: int, agency: Agency, runtime: Runtime
) -> None:
    async with join(port, agency.medic.token) as wire:
        await wire.say("renew", token=token_of(runtime, agency, "medic", 600, **changes))
        assert await wire.close_code() == 4401


async def test_token_of_another_user_does_not_renew(port: int, agency: Agency) -> None:
    async with join(port, agency.medic.token) as wire:
        await wire.say("renew", token=agency.admin.token)
        assert await wire.close_code() == 4401


def test_realtime_is_held_once(app: FastAPI, realtime: Realtime) -> None:
    assert app.state.runtime.gateways.get(REALTIME) is realtime


async def test_connections_are_forgotten_when_they_end(port: int, agency: Agency, realtime: Realtime) -> None:
    async with join(port, agency.medic.token) as wire:
        await wire.subscribe(worklist_of(agency, "incidents"))
        assert realtime.subscriptions.of(agency.tenant_id, "incidents")
    await expect_eventually(lambda: not realtime.subscriptions.of(agency.tenant_id, "incidents"))
    assert all(held.user.tenant_id != agency.tenant_id for held in realtime.admission.connections)
