"""Liveness, readiness and metrics for load balancers and operators."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from pydantic import Field
from redis.exceptions import RedisError

from app.core.db.pool import ConnectionSource
from app.core.dependencies import RuntimeDependency, public_route
from app.core.errors import ServiceUnavailable
from app.core.logging import get_logger
from app.core.openapi import TEXT
from app.core.runtime import Runtime
from app.core.schemas import ReadModel
from app.core.tags import Tag

TAG = Tag("operations", "Health and metrics.")
DATABASE_SECONDS = 3

_log = get_logger(__name__)

router = APIRouter(tags=["operations"], dependencies=[Depends(public_route)])


class Liveness(ReadModel):
    status: Literal["ok"] = "ok"


class Readiness(ReadModel):
    status: Literal["ok"] = "ok"
    database: Literal["ok"] = "ok"
    redis: Literal["ok", "degraded", "absent"]
    proxies: Literal["ok", "untrusted"] = Field(
        description="untrusted: a peer that FORWARDED_ALLOW_IPS does not name has forwarded within the last hour"
    )


@router.head("/health/live", name="probe_live", include_in_schema=False)
@router.get("/health/live")
async def live() -> Liveness:
    """The process runs. Asks nothing of anything else."""
    return Liveness()


@router.head("/health/ready", name="probe_ready", include_in_schema=False)
@router.get("/health/ready")
async def ready(runtime: RuntimeDependency) -> Readiness:
    """The database answers and is migrated. Without Redis the service works, degraded.

    A process that is about to stop answers 503.
    """
    if runtime.is_stopping:
        raise ServiceUnavailable("This process is about to stop.")
    await _require_database(runtime)
    proxies: Literal["ok", "untrusted"] = "untrusted" if runtime.proxies.sees_untrusted else "ok"
    return Readiness(redis=await _redis_state(runtime), proxies=proxies)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": TEXT}}})
async def metrics(runtime: RuntimeDependency) -> Response:
    """Prometheus text: outbox depth and age, webhooks that have no tenant, pool use."""
    return Response(await _collect(runtime), media_type=CONTENT_TYPE_LATEST)


async def _require_database(runtime: Runtime) -> None:
    """Checks the database. Any error here means that this process cannot serve, so the answer is 503, never 500."""
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            await _ask(runtime.database, "SELECT version_num FROM alembic_version")
    except Exception as error:
        _log.warning("not ready", exc_info=error)
        raise ServiceUnavailable("The database is away or not migrated.") from None


async def _ask(source: ConnectionSource, query: str) -> Any:
    """The first row. A connection whose server does not answer is closed, not given back."""
    lease = await source.acquire()
    try:
        row = await lease.conn.fetchrow(query)
    except BaseException:
        await asyncio.shield(source.discard(lease))
        raise
    await source.release(lease)
    return row


async def _redis_state(runtime: Runtime) -> Literal["ok", "degraded", "absent"]:
    if runtime.redis is None:
        return "absent"
    try:
        async with asyncio.timeout(1):
            await runtime.redis.ping()
    except (TimeoutError, OSError, RedisError):
        return "degraded"
    return "ok"


_PENDING = (
    "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM outbox_events"
    " WHERE published_at IS NULL AND failed_at IS NULL"
)
_UNCLAIMED = (
    "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM webhook_receipts"
    " WHERE tenant_id IS NULL AND status = 'received'"
)


async def _collect(runtime: Runtime) -> bytes:
    registry = CollectorRegistry()
    depth = Gauge("fusionems_outbox_pending", "Events not yet published", registry=registry)
    age = Gauge("fusionems_outbox_oldest_seconds", "Age of the oldest unpublished event", registry=registry)
    unclaimed = Gauge("fusionems_webhooks_unclaimed", "Webhook events without a tenant", registry=registry)
    waiting = Gauge(
        "fusionems_webhooks_unclaimed_oldest_seconds", "Age of the oldest event without a tenant", registry=registry
    )
    used = Gauge("fusionems_database_connections_used", "Connections in use", ["pool"], registry=registry)
    pending, oldest = await _ask(runtime.system, _PENDING)
    events, oldest_event = await _ask(runtime.system, _UNCLAIMED)
    depth.set(pending)
    age.set(oldest)
    unclaimed.set(events)
    waiting.set(oldest_event)
    for name, source in (("app", runtime.database), ("system", runtime.system)):
        used.labels(pool=name).set(source.checked_out())
    return generate_latest(registry)
