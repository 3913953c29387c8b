"""Whatever fails behind a route: the contract's body, nothing stored, no trace of the cause, a service that goes on."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from app import registry
from app.core.config import Settings
from app.core.http import ResponseInterrupted
from app.core.runtime import Runtime
from app.main import create_app
from tests.core import chart_api
from tests.core.charts import Chart
from tests.core.evidence import checksum
from tests.core.http.contract import assert_headers, expect_refusal
from tests.support.actors import Actor

CHARTS = "/api/v1/probe/charts"

EXPECTED = {
    "exception": (500, "INTERNAL_ERROR"),
    "chained": (500, "INTERNAL_ERROR"),
    "key": (500, "INTERNAL_ERROR"),
    "assertion": (500, "INTERNAL_ERROR"),
    "recursion": (500, "INTERNAL_ERROR"),
    "http 418": (400, "MALFORMED_REQUEST"),
    "http 502": (500, "INTERNAL_ERROR"),
    "foreign key": (422, "VALIDATION_FAILED"),
    "check": (422, "VALIDATION_FAILED"),
    "not null": (422, "VALIDATION_FAILED"),
    "unique in the session": (409, "ALREADY_EXISTS"),
    "syntax": (500, "INTERNAL_ERROR"),
    "division": (422, "VALIDATION_FAILED"),
    "text for a number": (422, "VALIDATION_FAILED"),
    "argument of another type": (422, "VALIDATION_FAILED"),
    "too many arguments": (500, "INTERNAL_ERROR"),
    "row-level security": (500, "INTERNAL_ERROR"),
    "statement timeout": (503, "SERVICE_UNAVAILABLE"),
    "serialisation": (503, "SERVICE_UNAVAILABLE"),
    "deadlock": (503, "SERVICE_UNAVAILABLE"),
    "lock timeout": (503, "SERVICE_UNAVAILABLE"),
    "read only": (503, "SERVICE_UNAVAILABLE"),
    "too many connections": (503, "SERVICE_UNAVAILABLE"),
    "killed": (503, "SERVICE_UNAVAILABLE"),
    "connection refused": (503, "SERVICE_UNAVAILABLE"),
    "connect timeout": (503, "SERVICE_UNAVAILABLE"),
    "database starting": (503, "SERVICE_UNAVAILABLE"),
    "connection closed": (503, "SERVICE_UNAVAILABLE"),
    "pool": (503, "SERVICE_UNAVAILABLE"),
    "dawdle": (422, "VALIDATION_FAILED"),
    "cancelled by hand": (503, "SERVICE_UNAVAILABLE"),
}


def test_every_failure_has_its_expectation() -> None:
    assert set(EXPECTED) == set(chart_api.FAILURES)


@pytest.mark.parametrize("failure", EXPECTED)
async def test_failure_is_answered_by_the_contract_and_stores_nothing(
    medic: Actor, chart: Chart, chart_runtime: Runtime, admin_connection: Any, failure: str
) -> None:
    before = await checksum(admin_connection, chart.tenant_id)
    given = str(uuid.uuid4())
    answer = await medic.post(f"{CHARTS}/{chart.id}/raise/{failure}", headers={"X-Request-ID": given})
    expect_refusal(answer, *EXPECTED[failure])
    assert answer.headers["x-request-id"] == given
    assert await checksum(admin_connection, chart.tenant_id) == before
    assert chart_runtime.database.checked_out() == 0
    assert (await medic.expect(200, "GET", f"{CHARTS}/{chart.id}"))["version"] == 1


async def test_answer_that_its_schema_refuses_is_500_and_rolls_back(
    medic: Actor, chart: Chart, admin_connection: Any
) -> None:
    """The body is made before the commit: what cannot be answered is not stored either."""
    before = await checksum(admin_connection, chart.tenant_id)
    expect_refusal(await medic.post(f"{CHARTS}/{chart.id}/unserialisable"), 500, "INTERNAL_ERROR")
    assert await checksum(admin_connection, chart.tenant_id) == before


@contextlib.asynccontextmanager
async def another_app(settings: Settings, actor: Actor) -> AsyncIterator[tuple[Actor, Runtime]]:
    """The app with charts once more, on its own connections; `actor` as seen by it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "ROUTERS", (*registry.ROUTERS, chart_api.router))
        app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    runtime: Runtime = app.state.runtime
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        yield Actor(http, actor.token), runtime
    await runtime.close()


@contextlib.asynccontextmanager
async def role_setting(admin: asyncpg.Connection, setting: str) -> AsyncIterator[None]:
    """A setting of the app role, for connections to this worker's database that are made meanwhile."""
    name = await admin.fetchval("SELECT current_database()")
    await admin.execute(f'ALTER ROLE fusionems_app IN DATABASE "{name}" SET {setting}')
    try:
        yield
    finally:
        await admin.execute(f'ALTER ROLE fusionems_app IN DATABASE "{name}" RESET ALL')


async def test_row_locked_elsewhere_is_503_when_the_roles_lock_timeout_passes(
    settings: Settings, medic: Actor, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    body = {"version": 1, "number": "after the lock"}
    async with (
        role_setting(admin_connection, "lock_timeout = '100ms'"),
        another_app(settings, medic) as (actor, _),
    ):
        transaction = admin_connection.transaction()
        await transaction.start()
        await admin_connection.execute("SELECT FROM probe.charts WHERE id = $1 FOR UPDATE", chart.id)
        expect_refusal(await actor.patch(f"{CHARTS}/{chart.id}", json=body), 503, "SERVICE_UNAVAILABLE")
        await transaction.rollback()
        await actor.expect(200, "PATCH", f"{CHARTS}/{chart.id}", json=body)


async def test_idle_transaction_that_the_server_ends_is_503(
    settings: Settings, medic: Actor, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    async with (
        role_setting(admin_connection, "idle_in_transaction_session_timeout = '50ms'"),
        another_app(settings, medic) as (actor, _),
    ):
        answer = await actor.post(f"{CHARTS}/{chart.id}/raise/dawdle")
        expect_refusal(answer, 503, "SERVICE_UNAVAILABLE")
        assert (await actor.expect(200, "GET", f"{CHARTS}/{chart.id}"))["version"] == 1


async def test_exhausted_pool_is_503_and_recovers(settings: Settings, medic: Actor, chart: Chart) -> None:
    small = settings.model_copy(update={"database_pool_size": 1})
    async with another_app(small, medic) as (actor, runtime):
        await actor.expect(200, "GET", f"{CHARTS}/{chart.id}")
        lease = await runtime.database.acquire()
        for answer in await asyncio.gather(*(actor.get(f"{CHARTS}/{chart.id}") for _ in range(10))):
            expect_refusal(answer, 503, "SERVICE_UNAVAILABLE")
        assert (await actor.get("/health/live")).status_code == 200
        await runtime.database.release(lease)
        await actor.expect(200, "GET", f"{CHARTS}/{chart.id}")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "no-such-host.invalid:5432"])
async def test_database_that_is_away_is_503(settings: Settings, address: str, medic: Actor) -> None:
    away = SecretStr(f"postgresql://nobody:nothing@{address}/none")
    lost = settings.model_copy(update={"database_url": away, "system_database_url": away})
    async with another_app(lost, medic) as (actor, _):
        for path in ("tenants/current", "/health/ready", "/metrics"):
            expect_refusal(await actor.get(path), 503, "SERVICE_UNAVAILABLE")
        login = {"tenant_slug": "demo", "email": "a@b.example", "password": "x"}
        expect_refusal(await actor.post("auth/login", json=login), 503, "SERVICE_UNAVAILABLE")
        live = await actor.get("/health/live")
        assert live.status_code == 200
        assert_headers(live)


async def test_answer_that_fails_after_its_head_names_nothing_of_the_cause(
    settings: Settings, medic: Actor, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing can be answered any more, and what reaches the server is printed by it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "ROUTERS", (*registry.ROUTERS, chart_api.router))
        app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        with pytest.raises(ResponseInterrupted) as raised:
            await Actor(http, medic.token).get("/api/v1/probe/stream")
    printed = "".join(traceback.format_exception(raised.value))
    assert chart_api.CANARY not in printed + capsys.readouterr().out
    await app.state.runtime.close()
