"""Ended access ends everywhere: at once in the process that ended it, and in another one within five seconds."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from app.core.config import Settings
from app.core.db.uow import UnitOfWork
from app.core.runtime import Runtime
from app.core.sessions import gate
from app.core.sessions.gate import POLL_SECONDS, STALE_SECONDS, AccessGate
from tests.core.http.contract import expect_refusal
from tests.core.identity.conftest import another_app
from tests.core.identity.people import (
    STRONG,
    SignedIn,
    act_on,
    ask_for_link,
    email_of,
    id_of,
    links_of,
    reset,
    signed_in,
)
from tests.core.waiting import expect_eventually
from tests.support.actors import Actor, Agency

PROMISED_SECONDS = 5
Cause = Callable[["Scene"], Awaitable[None]]


class Scene:
    def __init__(
        self, client: httpx.AsyncClient, agency: Agency, runtime: Runtime, database: asyncpg.Connection, user: SignedIn
    ) -> None:
        self.client, self.agency, self.runtime, self.database, self.user = client, agency, runtime, database, user

    async def user_id(self) -> str:
        return await id_of(self.agency, "medic")

    async def patch(self, **changes: object) -> None:
        user_id = await self.user_id()
        version = (await self.agency.admin.expect(200, "GET", f"users/{user_id}"))["version"]
        await self.agency.admin.expect(200, "PATCH", f"users/{user_id}", json={"version": version, **changes})


async def _logout(scene: Scene) -> None:
    await scene.user.expect(204, "POST", "auth/logout")


async def _lock(scene: Scene) -> None:
    await act_on(scene.agency, await scene.user_id(), "lock")


async def _disable(scene: Scene) -> None:
    await act_on(scene.agency, await scene.user_id(), "disable")


async def _delete(scene: Scene) -> None:
    await scene.agency.admin.expect(204, "DELETE", f"users/{await scene.user_id()}", params={"version": 1})


async def _role(scene: Scene) -> None:
    await scene.patch(role="billing")


async def _reviewer(scene: Scene) -> None:
    await scene.patch(is_reviewer=True)


async def _password(scene: Scene) -> None:
    current = scene.agency.passwords[email_of(scene.agency, "medic")]
    body = {"current_password": current, "new_password": STRONG}
    await scene.user.expect(204, "POST", "auth/password/change", json=body)


async def _reset(scene: Scene) -> None:
    await ask_for_link(scene.client, scene.agency.slug, email_of(scene.agency, "medic"))
    [link] = await links_of(scene.database, scene.runtime, await scene.user_id())
    assert (await reset(scene.client, link)).status_code == 204


async def _replay(scene: Scene) -> None:
    stolen = scene.user.refresh_token
    await scene.user.renew()
    expect_refusal(await scene.user.refresh(stolen), 401, "UNAUTHENTICATED")


CAUSES: dict[str, Cause] = {
    "logout": _logout,
    "lock": _lock,
    "disable": _disable,
    "delete": _delete,
    "role": _role,
    "reviewer": _reviewer,
    "password": _password,
    "reset": _reset,
    "replay": _replay,
}


@pytest.mark.parametrize("cause", CAUSES)
async def test_access_ends_here_at_once_and_next_door_in_time(
    client: httpx.AsyncClient,
    neighbour: httpx.AsyncClient,
    agency: Agency,
    runtime: Runtime,
    admin_connection: asyncpg.Connection,
    cause: str,
) -> None:
    user = await signed_in(client, agency)
    there = Actor(neighbour, user.token)
    await there.expect(200, "GET", "auth/me")
    await CAUSES[cause](Scene(client, agency, runtime, admin_connection, user))
    there.token = user.token
    await user.expect_out()

    async def is_out() -> bool:
        return (await there.get("auth/me")).status_code == 401

    await expect_eventually(is_out, PROMISED_SECONDS)
    expect_refusal(await there.get("auth/me"), 401, "UNAUTHENTICATED")
    await Actor(neighbour, agency.admin.token).expect(200, "GET", "auth/me")


async def test_changes_that_take_nothing_away_end_nothing(client: httpx.AsyncClient, agency: Agency) -> None:
    user = await signed_in(client, agency)
    user_id = await id_of(agency, "medic")
    same = {"version": 1, "role": "ems", "is_reviewer": False, "display_name": "Max", "email": email_of(agency, "max")}
    await agency.admin.expect(200, "PATCH", f"users/{user_id}", json=same)
    await user.expect(200, "GET", "auth/me")
    await user.renew()


async def test_suspended_agency_is_refused_everywhere(
    settings: Settings, client: httpx.AsyncClient, agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    user = await signed_in(client, agency)
    suspend = "UPDATE tenants SET status = $2 WHERE id = $1"
    await admin_connection.execute(suspend, agency.tenant_id, "suspended")
    async with another_app(settings) as (_, http):
        there = SignedIn(http, user.token, refresh_token=user.refresh_token)
        expect_refusal(await there.get("auth/me"), 403, "TENANT_SUSPENDED")
        expect_refusal(await there.refresh(), 403, "TENANT_SUSPENDED")
        await admin_connection.execute(suspend, agency.tenant_id, "active")
    async with another_app(settings) as (_, http):
        await SignedIn(http, user.token).expect(200, "GET", "auth/me")


async def test_end_that_was_not_committed_ends_nothing(
    client: httpx.AsyncClient, agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await signed_in(client, agency)
    user_id = await id_of(agency, "medic")
    commit = UnitOfWork.commit

    async def fail(self: UnitOfWork) -> None:
        await self.rollback()
        raise ConnectionError

    monkeypatch.setattr(UnitOfWork, "commit", fail)
    body = {"version": 1, "action": "lock"}
    expect_refusal(await agency.admin.post(f"users/{user_id}/transitions", json=body), 503, "SERVICE_UNAVAILABLE")
    monkeypatch.setattr(UnitOfWork, "commit", commit)
    await user.expect(200, "GET", "auth/me")


async def test_gate_that_cannot_be_loaded_lets_nobody_in(settings: Settings, agency: Agency) -> None:
    """The system role's database is away, the application's is not: what may have been revoked is not trusted."""
    away = SecretStr("postgresql://nobody:nothing@127.0.0.1:1/none")
    async with another_app(settings.model_copy(update={"system_database_url": away})) as (_, http):
        for _ in range(2):
            answer = await Actor(http, agency.admin.token).get("auth/me")
            expect_refusal(answer, 503, "SERVICE_UNAVAILABLE")


async def test_stale_gate_is_loaded_once_for_all_who_wait(
    runtime: Runtime, agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = AccessGate(runtime.system, token_seconds=600)
    loads = 0
    load = fresh._load

    async def counting() -> None:
        nonlocal loads
        loads += 1
        await load()

    monkeypatch.setattr(fresh, "_load", counting)
    await asyncio.gather(*(fresh.admit(agency.tenant_id, uuid.uuid4()) for _ in range(50)))
    assert loads == 1


async def test_poll_goes_on_after_a_failure(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that ended would leave revocation to the requests, in silence."""
    fresh = AccessGate(runtime.system, token_seconds=600)
    monkeypatch.setattr(gate, "POLL_SECONDS", 0)
    asked = 0
    recovered = asyncio.Event()
    load = fresh._load

    async def failing() -> None:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise ConnectionError
        await load()
        recovered.set()

    monkeypatch.setattr(fresh, "_load", failing)
    task = asyncio.create_task(fresh.run())
    async with asyncio.timeout(15):
        await recovered.wait()
    assert not task.done()
    task.cancel()


def test_promise_is_kept_by_the_constants() -> None:
    """A poll takes at most LOAD_SECONDS; what is used is never older than STALE_SECONDS."""
    assert POLL_SECONDS < STALE_SECONDS < PROMISED_SECONDS
