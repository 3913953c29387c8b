"""What domains really publish is what their topics declare: ids, versions, statuses and names, never values."""

from __future__ import annotations

import asyncpg
import orjson
import pytest

from app.core.events import EventPayload, Topic
from app.core.outbox.relay import OutboxRelay
from app.realtime.messages import Event
from app.registry import TOPICS
from tests.billing.support.claims import CLAIMS, another_call, export, new_claim
from tests.billing.support.claims import fire as fire_claim
from tests.billing.support.parties import COVERAGES, coverage_body, medicare
from tests.billing.support.remittances import claim_of
from tests.ems.test_records import write_everything
from tests.realtime.calls import broadcast_topics, channel_of
from tests.realtime.wire import join
from tests.support.actors import Agency
from tests.support.charts import fire, open_call

DIRECTIVE = {"incident.updated", "incident.status_changed", "claim.status_changed", "nemsis.export_status_changed"}
"""The names of directive 5.4 and 13 whose domains exist."""


async def test_topics_of_the_directive_are_declared_for_websockets() -> None:
    assert {topic.name for topic in broadcast_topics()} >= DIRECTIVE


@pytest.mark.parametrize("topic", broadcast_topics(), ids=lambda topic: topic.name)
def test_declaration_of_a_payload_holds_ids_versions_and_names_only(topic: Topic) -> None:
    assert topic.broadcast is not None
    schema = topic.broadcast.payload.model_json_schema()
    own = set(schema["properties"]) - set(EventPayload.model_fields)
    assert all(name.endswith("_id") for name in own - {"status"})
    assert schema["additionalProperties"] is False
    assert all(held.get("description") for held in schema["properties"].values())


async def test_published_events_are_as_declared(
    port: int, agency: Agency, relay: OutboxRelay, admin_connection: asyncpg.Connection
) -> None:
    await write_everything(agency)
    call = await another_call(agency)
    covered = coverage_body(call, payer_record_id=(await medicare(agency))["id"], member_id="1EG4TE5MK73")
    await agency.biller.expect(201, "POST", COVERAGES, json=covered | {"effective_from": "2013-03-01"})
    claim = await new_claim(agency, call)
    revised = {"version": claim["version"], "payer_name": "Another Payer"}
    claim = await agency.biller.expect(200, "PATCH", f"{CLAIMS}/{claim['id']}", json=revised)
    await export(agency, await fire_claim(agency, claim, "approve"))
    await fire_claim(agency, await claim_of(agency, claim), "submit")
    body = {"incident_id": claim["incident_id"], "patient_id": claim["patient_id"]}
    await agency.medic.expect(201, "POST", "nemsis/exports", json=body)
    rows = await admin_connection.fetch(
        "SELECT topic, aggregate_id, payload FROM outbox_events WHERE tenant_id = $1 ORDER BY sequence",
        agency.tenant_id,
    )
    topics = {topic.name: topic for topic in TOPICS}
    of_chart, seen = 0, set()
    for row in rows:
        broadcast = topics[row["topic"]].broadcast
        if broadcast is not None:
            payload = orjson.loads(row["payload"])
            broadcast.payload.model_validate_json(row["payload"])
            channels = list(broadcast.channels(row["aggregate_id"], payload))
            of_chart += f"incident:{claim['incident_id']}" in channels
            seen.add(row["topic"])
    assert seen >= DIRECTIVE | {"claim.updated", "coverage.updated", "ledger.posted"}
    await relay.drain()
    async with join(port, agency.admin.token) as wire:
        opened = await wire.subscribe(f"incident:{agency.tenant_id}:{claim['incident_id']}")
    assert sum(opened["streams"].values()) == of_chart and all(opened["streams"].values())


async def test_message_of_an_event_is_as_documented(port: int, agency: Agency, relay: OutboxRelay) -> None:
    call = await open_call(agency)
    await relay.drain()
    async with join(port, agency.admin.token) as wire:
        await wire.subscribe(channel_of(agency, call.incident))
        await fire(agency, call, "start", "medic")
        await relay.drain()
        event = Event.model_validate_json(orjson.dumps(await wire.hear("event")))
    assert (event.topic, event.payload["status"]) == ("incident.status_changed", call.incident["status"])
