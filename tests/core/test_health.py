"""What load balancers and the scraper are told, in health and in sickness."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from app.core.config import Settings
from app.core.ids import new_id
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.main import create_app
from tests.architecture.scratch import scratch_database
from tests.core.charts import CHART_CHANGED, Chart, ChartAction
from tests.core.http.contract import expect_refusal
from tests.support.database import TestDatabase


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    """Makes the service with changed settings."""
    made: list[Any] = []

    def make(**changes: Any) -> httpx.AsyncClient:
        app = create_app(settings.model_copy(update=changes))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        made.append((httpx.AsyncClient(transport=transport, base_url="http://test"), app.state.runtime))
        client: httpx.AsyncClient = made[-1][0]
        return client

    yield make
    for client, runtime in made:
        await client.aclose()
        await runtime.close()


async def test_ready_with_everything(service: Callable[..., httpx.AsyncClient]) -> None:
    answer = await service().get("/health/ready")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ok", "database": "ok", "redis": "ok", "proxies": "ok"},
    )


@pytest.mark.parametrize(("url", "told"), [(None, "absent"), ("redis://127.0.0.1:1/0", "degraded")])
async def test_ready_without_redis(service: Callable[..., httpx.AsyncClient], url: str | None, told: str) -> None:
    """Other processes poll the outbox then: the service is degraded and not away."""
    answer = await service(redis_url=None if url is None else SecretStr(url)).get("/health/ready")
    assert (answer.status_code, answer.json()["redis"]) == (200, told)


@pytest.fixture
def empty(worker_id: str) -> Iterator[TestDatabase]:
    with scratch_database(f"empty_{worker_id}") as database:
        yield database


async def test_database_that_is_not_migrated_is_not_ready(
    service: Callable[..., httpx.AsyncClient], empty: TestDatabase
) -> None:
    client = service(database_url=SecretStr(empty.app))
    expect_refusal(await client.get("/health/ready"), 503, "SERVICE_UNAVAILABLE")
    assert (await client.get("/health/live")).status_code == 200


async def test_database_that_does_not_answer_is_not_ready_and_the_process_lives(
    service: Callable[..., httpx.AsyncClient],
) -> None:
    """It accepts the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = service(database_url=SecretStr(f"postgresql://x:y@127.0.0.1:{silent.getsockname()[1]}/z"))
        waiting = asyncio.create_task(client.get("/health/ready"))
        live = await client.get("/health/live")
        assert live.status_code == 200 and not waiting.done()
        expect_refusal(await waiting, 503, "SERVICE_UNAVAILABLE")


async def test_metrics_count_what_is_not_published_yet(
    charts: None,
    service: Callable[..., httpx.AsyncClient],
    runtime: Runtime,
    principal: Principal,
    admin_connection: asyncpg.Connection,
) -> None:
    await admin_connection.execute("UPDATE outbox_events SET published_at = now() WHERE published_at IS NULL")
    client = service()
    assert "fusionems_outbox_pending 0.0" in (await client.get("/metrics")).text
    async with runtime.unit_of_work(principal) as uow:
        made = Chart(tenant_id=principal.tenant_id, incident_id=new_id(), number="metrics")
        await uow.create(made, ChartAction.OPENED, event=CHART_CHANGED)
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "fusionems_outbox_pending 1.0" in answer.text
    assert 'fusionems_database_connections_used{pool="app"} 0.0' in answer.text
    assert str(principal.tenant_id) not in answer.text
    await admin_connection.execute("UPDATE outbox_events SET published_at = now() WHERE published_at IS NULL")
