"""Whatever commits, crashes and lost messages come in which order: each event arrives, in order, without a gap.

Events of three aggregates are written in transactions that are open at the same time. The relay may die before or after
it has marked a batch, its word may get lost or come twice, and an event may be published again.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as run_with
from hypothesis import strategies as st

from app.core.ids import TenantId, new_id
from app.core.outbox import relay as relay_module
from app.core.outbox.feed import Feed
from app.core.outbox.positions import LAST_POSITION, MARK, Batch
from app.core.outbox.relay import OutboxRelay
from app.core.outbox.signal import OutboxSignal
from app.core.runtime import Runtime
from app.ems.events import INCIDENT_UPDATED
from app.realtime.channels import Channel
from app.realtime.closing import CloseCode
from app.realtime.messages import Message
from app.realtime.pump import Pump
from app.realtime.subscription import Subscription, Subscriptions
from tests.support.database import TestDatabase

AGGREGATES = 3
_INSERT = "INSERT INTO outbox_events (id, tenant_id, topic, aggregate_id, payload) VALUES ($1, $2, $3, $4, $5)"

which = st.integers(0, AGGREGATES - 1)
written = st.tuples(st.sampled_from(("note", "note", "write", "write", "commit", "rollback")), which)
relayed = st.tuples(st.sampled_from(("relay", "relay", "die_before", "die_after", "say_twice")), st.integers(1, 4))
others = st.tuples(st.sampled_from(("pump", "pump", "restart", "publish_again")), st.just(0))
steps = st.one_of(written, written, relayed, others)


@dataclass
class Log:
    """A client that keeps what it is sent."""

    id: uuid.UUID = field(default_factory=new_id)
    heard: list[dict[str, Any]] = field(default_factory=list)
    closed_with: CloseCode | None = None

    def put(self, text: str) -> None:
        self.heard.append(json.loads(text))

    def tell(self, message: Message) -> None:
        raise AssertionError(message)

    def close(self, code: CloseCode) -> None:
        self.closed_with = code


class World:
    """One tenant's outbox, a relay that dies, and a process with one client that looks at every chart."""

    def __init__(self, runtime: Runtime, writers: list[asyncpg.Connection]) -> None:
        self.tenant_id = TenantId(uuid.uuid4())
        self.runtime = replace(runtime, feed=Feed(None, "unused"))
        *self.writers, self.operator = writers
        self.aggregates = [uuid.uuid4() for _ in self.writers]
        self.open: dict[int, tuple[Any, list[int]]] = {}
        self.written: list[list[int]] = [[] for _ in self.writers]
        self.relay = self._relay()
        self.subscriptions = Subscriptions()
        self.pump = Pump(self.runtime, self.subscriptions, lambda: None)
        self.client = Log()
        self.said: list[Batch] = []
        self.runtime.feed.listen(self.said.append)
        self.runtime.feed.listen(self.pump.push)

    def _relay(self) -> OutboxRelay:
        return OutboxRelay(self.runtime, (), OutboxSignal(None, "unused"))

    async def begin(self) -> None:
        await self.pump._turn()
        channel = Channel(self.tenant_id, "incidents")
        subscription = Subscription(self.client, channel, ["chart.read"])
        subscription.stand_at(self.pump.place or 0, {})
        subscription.release()
        self.subscriptions.add(subscription)

    async def take(self, step: str, number: int, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(relay_module, "BATCH", max(number, 1))
        match step:
            case "note":
                await self._write(number)
                await self._end(number, committed=True)
            case "write":
                await self._write(number)
            case "commit" | "rollback":
                await self._end(number, committed=step == "commit")
            case "relay":
                await self._relay_once()
            case "die_before":
                with patch.context() as broken, contextlib.suppress(asyncpg.DivisionByZeroError):
                    broken.setattr(relay_module, "MARK", f"{MARK} LIMIT 1 / 0")
                    await self._relay_once()
                self.relay = self._relay()
            case "die_after":
                with patch.context() as silent:
                    silent.setattr(self.runtime.feed, "send", lambda batch: None)
                    await self._relay_once()
                self.relay = self._relay()
            case "say_twice":
                for batch in self.said[-number:]:
                    self.pump.push(batch)
            case "pump":
                await self.pump._turn()
            case "restart":
                self.relay = self._relay()
                self.runtime.feed.send(Batch(await self._last_position()))
            case "publish_again":
                await self.operator.execute(
                    "UPDATE outbox_events SET published_at = NULL WHERE tenant_id = $1", self.tenant_id
                )

    async def finish(self) -> None:
        """Everything is committed, the relay lives, and the next poll of the clock comes."""
        for number in list(self.open):
            await self._end(number, committed=True)
        while await self._relay_once():
            pass
        self.pump.read_soon()
        await self.pump._turn()

    async def _write(self, number: int) -> None:
        connection = self.writers[number]
        if number not in self.open:
            transaction = connection.transaction()
            await transaction.start()
            self.open[number] = transaction, []
        pending = self.open[number][1]
        version = len(self.written[number]) + len(pending) + 1
        payload = {
            "entity_type": "incident",
            "entity_id": str(self.aggregates[number]),
            "version": version,
            "action": "incident.revised",
            "changed": [],
        }
        values = (new_id(), self.tenant_id, INCIDENT_UPDATED.name, self.aggregates[number], json.dumps(payload))
        await connection.execute(_INSERT, *values)
        pending.append(version)

    async def _end(self, number: int, *, committed: bool) -> None:
        if number in self.open:
            transaction, pending = self.open.pop(number)
            await (transaction.commit() if committed else transaction.rollback())
            if committed:
                self.written[number] += pending

    async def _relay_once(self) -> int:
        lease = await self.runtime.system.acquire()
        try:
            return await self.relay._relay_batch(lease)
        finally:
            await self.runtime.system.release(lease)

    async def _last_position(self) -> int:
        lease = await self.runtime.system.acquire()
        try:
            last: int = await lease.conn.fetchval(LAST_POSITION)
        finally:
            await self.runtime.system.release(lease)
        return last


@pytest.fixture
async def writers(
    database: TestDatabase, admin_connection: asyncpg.Connection
) -> AsyncIterator[list[asyncpg.Connection]]:
    """A connection for each aggregate, and one for the operator. What other tests have left is published."""
    await admin_connection.execute("UPDATE outbox_events SET published_at = now() WHERE published_at IS NULL")
    made = [await asyncpg.connect(database.admin) for _ in range(AGGREGATES + 1)]
    yield made
    for connection in made:
        await connection.close()


@run_with(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(taken=st.lists(steps, min_size=25, max_size=60))
async def test_each_event_arrives_in_order_whatever_happens(
    taken: list[tuple[str, int]], runtime: Runtime, writers: list[asyncpg.Connection]
) -> None:
    world = World(runtime, writers)
    await world.begin()
    try:
        with pytest.MonkeyPatch.context() as patch:
            for step, number in taken:
                await world.take(step, number, patch)
    finally:
        await world.finish()
    assert world.client.closed_with is None
    heard = world.client.heard
    assert [event["sequence"] for event in heard] == list(range(1, len(heard) + 1))
    for number, aggregate in enumerate(world.aggregates):
        versions = [event["version"] for event in heard if event["entity_id"] == str(aggregate)]
        assert versions == world.written[number]
