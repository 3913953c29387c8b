"""A database has one relay. It gives outbox events to handlers, in order per aggregate, at least once."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core.clock import utcnow
from app.core.context import RequestContext, bind_context
from app.core.db.pool import Lease
from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId, new_id, new_random_uuid
from app.core.logging import get_logger
from app.core.outbox.models import OutboxDelivery
from app.core.outbox.positions import LAST_POSITION, MARK, Batch, Placed, Places
from app.core.outbox.signal import OutboxSignal
from app.core.outbox.subscriptions import Event, Subscription
from app.core.permissions import Principal
from app.core.runtime import Runtime

POLL_SECONDS = 0.25
RETRY_SECONDS = 1
BATCH = 200
MAX_ATTEMPTS = 12
"""An event that failed so often is set aside, and its aggregate goes on."""
LEADER_LOCK = 0x464551_01  # any constant: advisory locks are per database

LOG_KEYS = ("event_id", "topic", "handler", "attempt")
_log = get_logger(__name__)
_deliveries: Any = OutboxDelivery.__table__
_DELIVER = CompiledStatement(
    insert(_deliveries)
    .values(
        {
            name: sa.bindparam(name, type_=_deliveries.c[name].type)
            for name in ("id", "tenant_id", "event_id", "handler")
        }
    )
    .on_conflict_do_nothing()
    .returning(_deliveries.c.event_id)
)
# An event waits while its aggregate waits for a retry: this keeps the order per aggregate.
_PENDING = """
SELECT id, tenant_id, topic, aggregate_id, payload, created_at, attempts FROM outbox_events AS event
WHERE published_at IS NULL AND failed_at IS NULL AND NOT EXISTS (
  SELECT FROM outbox_events AS earlier
  WHERE earlier.published_at IS NULL AND earlier.failed_at IS NULL
    AND earlier.aggregate_id = event.aggregate_id AND earlier.sequence <= event.sequence
    AND earlier.next_attempt_at > now())
ORDER BY sequence LIMIT $1
"""
_RETRY = "UPDATE outbox_events SET attempts = attempts + 1, next_attempt_at = $2 WHERE id = $1"


class OutboxRelay:
    """Leadership is a session-level advisory lock on the connection that also marks events: both are lost together."""

    def __init__(self, runtime: Runtime, subscriptions: Sequence[Subscription], signal: OutboxSignal) -> None:
        self._runtime = runtime
        self._signal = signal
        self._places = Places(runtime.composition.topics)
        self._by_topic: dict[str, list[Subscription]] = {}
        for subscription in subscriptions:
            for topic in subscription.topics:
                self._by_topic.setdefault(topic.name, []).append(subscription)

    async def run(self) -> None:
        """Compete for leadership, and relay while it lasts. Ends when cancelled."""
        while True:
            try:
                await self._lead_once()
            except Exception as error:  # a relay that ended would silently leave every later event unpublished
                _log.error("outbox relay interrupted", exc_info=error)
            await asyncio.sleep(RETRY_SECONDS)

    async def _lead_once(self) -> None:
        lease = await self._runtime.system.acquire()
        try:
            if not await lease.conn.fetchval("SELECT pg_try_advisory_lock($1)", LEADER_LOCK):
                await self._runtime.system.release(lease)
                return
            self._signal.leading = True
            self._runtime.feed.send(Batch(await lease.conn.fetchval(LAST_POSITION)))  # what the last leader left unsaid
            while True:
                if await self._relay_batch(lease) == 0:
                    await self._signal.wait(POLL_SECONDS)
        except BaseException:
            self._signal.leading = False
            await asyncio.shield(self._runtime.system.discard(lease))  # closing the session frees the lock
            raise

    async def drain(self) -> int:
        """Relay until nothing is due. Returns the number of handled events. Tests and the worker's shutdown use it."""
        lease = await self._runtime.system.acquire()
        total = 0
        try:
            while count := await self._relay_batch(lease):
                total += count
        finally:
            await self._runtime.system.release(lease)
        return total

    async def _relay_batch(self, lease: Lease) -> int:
        rows = await lease.conn.fetch(_PENDING, BATCH)
        done: list[Any] = []
        set_aside: list[Any] = []
        waiting: set[uuid.UUID] = set()
        for row in rows:
            if row["aggregate_id"] in waiting:
                continue
            event = Event(row["id"], TenantId(row["tenant_id"]), row["topic"], row["aggregate_id"], row["payload"])
            if await self._deliver(event):
                done.append(row)
                continue
            waiting.add(event.aggregate_id)
            if row["attempts"] + 1 < MAX_ATTEMPTS:
                await self._postpone(lease, event, row["attempts"] + 1)
            else:
                set_aside.append(row)
        if done or set_aside:
            await self._mark(lease, done, set_aside)
        return len(done) + len(waiting)

    async def _mark(self, lease: Lease, done: Sequence[Any], set_aside: Sequence[Any]) -> None:
        """Marks events and gives them their places in channels, in one statement. Then tells the websockets."""
        settled = {row["id"]: row for row in (*done, *set_aside)}
        places = [place for row in settled.values() for place in self._places.of(row)]
        columns = [list(column) for column in zip(*places, strict=True)] or [[], [], [], []]
        ids = [row["id"] for row in done], [row["id"] for row in set_aside]
        placed = await lease.conn.fetch(MARK, *ids, *columns)
        if placed:
            events = tuple(Placed.of({**settled[row["event_id"]], **row}) for row in placed)
            self._runtime.feed.send(Batch(placed[0]["before"], events))

    async def _deliver(self, event: Event) -> bool:
        bind_context(RequestContext(request_id=new_random_uuid(), route="outbox", tenant_id=event.tenant_id))
        for subscription in self._by_topic.get(event.topic, ()):
            try:
                await self._hand_over(subscription, event)
            except Exception as error:
                _log.error(
                    "event handler failed",
                    handler=subscription.name,
                    event_id=str(event.id),
                    topic=event.topic,
                    exc_info=error,
                )
                return False
        return True

    async def _hand_over(self, subscription: Subscription, event: Event) -> None:
        async with self._runtime.unit_of_work(Principal.system(event.tenant_id)) as uow:
            delivery = {"id": new_id(), "tenant_id": event.tenant_id}
            taken = await uow.fetch_row(_DELIVER, {**delivery, "event_id": event.id, "handler": subscription.name})
            if taken is not None:
                await subscription.handle(uow, event)

    async def _postpone(self, lease: Lease, event: Event, attempts: int) -> None:
        """Delay the event, exponentially up to five minutes."""
        again = utcnow() + dt.timedelta(seconds=min(2**attempts, 300))
        await lease.conn.execute(_RETRY, event.id, again)
