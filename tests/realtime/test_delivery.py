"""Events reach who has opened their channel, once, in order, with the same sequence in every replay."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import asyncpg

from app.core.db.uow import UnitOfWork
from app.core.ids import new_id
from app.core.outbox.relay import MAX_ATTEMPTS, OutboxRelay
from app.core.outbox.retention import purge
from app.core.outbox.signal import OutboxSignal
from app.core.outbox.subscriptions import Event, Subscription
from app.core.runtime import Runtime
from app.ems.events import INCIDENT_UPDATED
from tests.realtime.calls import a_call, a_published_call, channel_of, revise, worklist_of
from tests.realtime.wire import join
from tests.support.actors import Agency

NO_EVENTS = {"chart.read": 0, "nemsis.read": 0}


async def test_second_medic_sees_what_the_first_one_changes(port: int, agency: Agency, relay: OutboxRelay) -> None:
    call = await a_published_call(agency, relay)
    async with join(port, agency.partner.token) as wire:
        opened = await wire.subscribe(channel_of(agency, call))
        assert opened["streams"] == NO_EVENTS | {"chart.read": 1}
        await revise(agency.medic, call)
        await relay.drain()
        event = await wire.hear("event")
    assert (event["topic"], event["schema_version"]) == ("incident.updated", 1)
    assert (event["channel"], event["stream"], event["sequence"]) == (channel_of(agency, call), "chart.read", 2)
    assert (event["entity_type"], event["entity_id"], event["version"]) == ("incident", call["id"], 2)
    assert event["payload"] == {"action": "incident.revised", "changed": ["incident_number"], "status": "draft"}


async def test_nothing_comes_before_it_is_published_nor_from_a_channel_that_is_not_open(
    port: int, agency: Agency, relay: OutboxRelay
) -> None:
    mine, other = await a_published_call(agency, relay), await a_published_call(agency, relay)
    async with join(port, agency.partner.token) as wire:
        await wire.subscribe(channel_of(agency, mine))
        await revise(agency.medic, mine)
        await revise(agency.medic, other)
        assert await wire.quiet() == []
        await relay.drain()
        [event] = await wire.events(1)
        assert event["entity_id"] == mine["id"]
        await wire.say("unsubscribe", channel=channel_of(agency, mine))
        await wire.hear("unsubscribed")
        await revise(agency.medic, mine)
        await relay.drain()
        assert await wire.quiet() == []


async def test_worklist_carries_the_events_of_every_chart_with_the_same_ids(
    port: int, agency: Agency, relay: OutboxRelay
) -> None:
    first, second = await a_published_call(agency, relay), await a_published_call(agency, relay)
    async with join(port, agency.admin.token) as wire:
        opened = await wire.subscribe(worklist_of(agency, "incidents"))
        assert opened["streams"] == {"chart.read": 2}
        await wire.subscribe(channel_of(agency, first))
        await revise(agency.medic, first)
        await revise(agency.medic, second)
        await relay.drain()
        heard = await wire.events(3)
    listed = [event for event in heard if event["channel"].startswith("tenant:")]
    [of_chart] = [event for event in heard if event["channel"].startswith("incident:")]
    assert [(event["sequence"], event["entity_id"]) for event in listed] == [(3, first["id"]), (4, second["id"])]
    assert of_chart["id"] == listed[0]["id"]


async def test_resume_replays_what_was_missed_and_goes_on_without_a_gap(
    port: int, agency: Agency, relay: OutboxRelay
) -> None:
    call = await a_published_call(agency, relay, 2)
    channel = channel_of(agency, call)
    async with join(port, agency.partner.token) as wire:
        opened = await wire.subscribe(channel)
    await revise(agency.medic, call, 5)
    await relay.drain()
    async with join(port, agency.partner.token) as wire:
        await wire.say("resume", channel=channel, last_event_id=opened["last_event_id"])
        again = await wire.hear("subscribed")
        assert (again["streams"], again["last_event_id"]) == (opened["streams"], opened["last_event_id"])
        await revise(agency.medic, call)
        await relay.drain()
        missed = await wire.events(6)
        assert [event["sequence"] for event in missed] == [3, 4, 5, 6, 7, 8]
        assert [event["version"] for event in missed] == [3, 4, 5, 6, 7, 8]
        assert await wire.quiet() == []
    async with join(port, agency.partner.token) as wire:
        await wire.say("resume", channel=channel, last_event_id=missed[2]["id"])
        assert (await wire.hear("subscribed"))["streams"] == NO_EVENTS | {"chart.read": 5}
        assert await wire.events(3) == missed[3:], "the same ids and sequences in every replay"


async def test_replay_longer_than_the_queue_loses_nothing_while_new_events_come(
    port: int, agency: Agency, relay: OutboxRelay, limited: Callable[..., None]
) -> None:
    limited(realtime_queue=16)
    call = await a_published_call(agency, relay)
    channel = channel_of(agency, call)
    async with join(port, agency.partner.token) as wire:
        start = (await wire.subscribe(channel))["last_event_id"]
        await revise(agency.medic, call, 40)
        await relay.drain()
    async with join(port, agency.partner.token) as wire:
        await wire.say("resume", channel=channel, last_event_id=start)
        heard = []
        for _ in range(5):
            heard += await wire.events(7)
            await revise(agency.medic, call)
            await relay.drain()
        heard += await wire.events(10)
        assert [event["sequence"] for event in heard] == list(range(2, 47))


async def test_event_that_the_channel_never_held_is_answered_with_resync(
    port: int, agency: Agency, relay: OutboxRelay
) -> None:
    call, other = await a_published_call(agency, relay, 3), await a_published_call(agency, relay)
    channel = channel_of(agency, call)
    async with join(port, agency.partner.token) as wire:
        foreign = (await wire.subscribe(channel_of(agency, other)))["last_event_id"]
        latest = (await wire.subscribe(channel))["last_event_id"]
        for unknown in (foreign, str(uuid.uuid4()), str(new_id())):
            answer = await wire.subscribe(channel, unknown)
            assert (answer["type"], answer["reason"]) == ("resync", "unknown_event")
            assert (answer["streams"], answer["last_event_id"]) == (NO_EVENTS | {"chart.read": 3}, latest)
        await revise(agency.medic, call)
        await relay.drain()
        assert [event["sequence"] for event in await wire.events(1)] == [4], "live again after the resync"


async def test_events_beyond_the_retention_time_are_gone_and_say_so(
    port: int, agency: Agency, relay: OutboxRelay, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    call = await a_published_call(agency, relay, 3)
    channel = channel_of(agency, call)
    async with join(port, agency.partner.token) as wire:
        latest = (await wire.subscribe(channel))["last_event_id"]
    await age(admin_connection, agency, 200)
    await revise(agency.medic, call)
    await purge(runtime)
    held = "SELECT count(*) FROM outbox_{} WHERE tenant_id = $1"
    assert await admin_connection.fetchval(held.format("positions"), agency.tenant_id) == 0
    assert await admin_connection.fetchval(held.format("events"), agency.tenant_id) == 1, "the unpublished one stays"
    await relay.drain()
    async with join(port, agency.partner.token) as wire:
        answer = await wire.subscribe(channel, latest)
        assert (answer["type"], answer["streams"]["chart.read"]) == ("resync", 4), "the sequence goes on"


async def test_id_older_than_the_retention_time_is_told_as_such(port: int, agency: Agency, relay: OutboxRelay) -> None:
    call = await a_published_call(agency, relay)
    async with join(port, agency.partner.token) as wire:
        answer = await wire.subscribe(channel_of(agency, call), "01900000-0000-7000-8000-000000000000")
        assert (answer["type"], answer["reason"]) == ("resync", "retention")


async def test_purge_keeps_what_is_young_or_was_set_aside(
    agency: Agency, relay: OutboxRelay, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    call = await a_published_call(agency, relay, 2)
    await age(admin_connection, agency, 200)
    await admin_connection.execute(
        "UPDATE outbox_events SET published_at = NULL, failed_at = now() WHERE tenant_id = $1"
        " AND (payload->>'version') = '1' AND topic LIKE 'incident.%'",
        agency.tenant_id,
    )
    await revise(agency.medic, call)
    await relay.drain()
    await purge(runtime)
    rows = await admin_connection.fetch(
        "SELECT payload->>'version' AS version FROM outbox_events WHERE tenant_id = $1 AND topic LIKE 'incident.%'"
        " ORDER BY sequence",
        agency.tenant_id,
    )
    assert [row["version"] for row in rows] == ["1", "3"]
    deliveries = "SELECT count(*) FROM outbox_deliveries WHERE event_id NOT IN (SELECT id FROM outbox_events)"
    assert await admin_connection.fetchval(deliveries) == 0


async def test_nothing_is_placed_for_topics_that_are_not_broadcast(
    agency: Agency, relay: OutboxRelay, admin_connection: asyncpg.Connection
) -> None:
    body = {"email": f"new@{agency.slug}.example", "display_name": "New", "role": "ems"}
    await agency.admin.expect(201, "POST", "users", json=body)
    await a_call(agency.medic)
    await relay.drain()
    topics = await admin_connection.fetch(
        "SELECT DISTINCT topic FROM outbox_positions AS p JOIN outbox_events AS e ON e.id = p.event_id"
        " WHERE p.tenant_id = $1",
        agency.tenant_id,
    )
    assert [row["topic"] for row in topics] == ["incident.updated"]


async def age(admin: asyncpg.Connection, agency: Agency, hours: int) -> None:
    """Makes what was published for the agency older. Positions of others, which come first, are made older too."""
    await admin.execute("UPDATE outbox_positions SET placed_at = placed_at - make_interval(hours => $1)", hours)
    await admin.execute(
        "UPDATE outbox_events SET published_at = published_at - make_interval(hours => $2) WHERE tenant_id = $1",
        agency.tenant_id,
        hours,
    )


async def test_event_that_its_handlers_never_take_is_shown_all_the_same(
    port: int, agency: Agency, relay: OutboxRelay, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    """The chart has changed, whatever else should have followed from that."""
    call = await a_published_call(agency, relay)

    async def fail(uow: UnitOfWork, event: Event) -> None:
        raise RuntimeError

    failing = Subscription("probe.failing", (INCIDENT_UPDATED,), fail)
    shaky = OutboxRelay(runtime, (failing,), OutboxSignal(None, "unused"))
    async with join(port, agency.partner.token) as wire:
        await wire.subscribe(channel_of(agency, call))
        await revise(agency.medic, call)
        await shaky.drain()
        assert await wire.quiet() == [], "not before it was given up"
        await admin_connection.execute(
            "UPDATE outbox_events SET attempts = $2, next_attempt_at = now() WHERE tenant_id = $1"
            " AND published_at IS NULL",
            agency.tenant_id,
            MAX_ATTEMPTS - 1,
        )
        await shaky.drain()
        [event] = await wire.events(1)
        assert (event["sequence"], event["version"]) == (2, 2)
        await admin_connection.execute(
            "UPDATE outbox_events SET failed_at = NULL, next_attempt_at = NULL WHERE tenant_id = $1", agency.tenant_id
        )
        await relay.drain()
        assert await wire.quiet() == [], "it keeps its place when the operator lets it be tried again"
