"""Calls whose changes are published, and the names of their channels."""

from __future__ import annotations

import json
import uuid
from typing import Any

import asyncpg

from app.core.events import Topic
from app.core.ids import new_id
from app.core.outbox.relay import OutboxRelay
from app.registry import TOPICS
from tests.support.actors import Actor, Agency
from tests.support.charts import INCIDENT

_numbers = iter(range(100_000, 999_999))


async def a_call(actor: Actor) -> dict[str, Any]:
    """A new chart: its first event is not published yet."""
    made: dict[str, Any] = await actor.expect(201, "POST", "ems/incidents", json=INCIDENT)
    return made


async def revise(actor: Actor, call: dict[str, Any], times: int = 1) -> None:
    """One event for each time."""
    for _ in range(times):
        body = {"version": call["version"], "incident_number": f"26-{next(_numbers)}"}
        call.update(await actor.expect(200, "PATCH", f"ems/incidents/{call['id']}", json=body))


async def a_published_call(agency: Agency, relay: OutboxRelay, events: int = 1) -> dict[str, Any]:
    """A chart whose first `events` events are published."""
    call = await a_call(agency.medic)
    await revise(agency.medic, call, events - 1)
    await relay.drain()
    return call


def channel_of(agency: Agency, call: dict[str, Any]) -> str:
    return f"incident:{agency.tenant_id}:{call['id']}"


def worklist_of(agency: Agency, name: str) -> str:
    return f"tenant:{agency.tenant_id}:{name}"


def broadcast_topics() -> tuple[Topic, ...]:
    return tuple(topic for topic in TOPICS if topic.broadcast is not None)


async def put_event(admin: asyncpg.Connection, agency: Agency, topic: Topic, incident_id: str, version: int) -> str:
    """Commits an event as a domain would, and returns its id."""
    event_id, entity_id = new_id(), uuid.uuid4()
    payload = {
        "entity_type": "probe",
        "entity_id": str(entity_id),
        "version": version,
        "action": "probe.revised",
        "changed": ["probe"],
        "incident_id": incident_id,
        "status": "draft",
    }
    await admin.execute(
        "INSERT INTO outbox_events (id, tenant_id, topic, aggregate_id, payload) VALUES ($1, $2, $3, $4, $5)",
        event_id,
        agency.tenant_id,
        topic.name,
        entity_id,
        json.dumps(payload),
    )
    return str(event_id)
