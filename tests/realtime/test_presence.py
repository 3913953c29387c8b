"""Who is in the chart: advice that everybody who may read the chart sees, and that goes away by itself."""

from __future__ import annotations

import uuid

import pytest

from app.core.clock import utcnow
from app.core.ids import TenantId
from app.core.outbox.relay import OutboxRelay
from app.realtime import presence
from app.realtime.bus import Bus
from app.realtime.messages import Person
from app.realtime.presence import PresenceBoard
from tests.realtime.calls import a_published_call, channel_of, worklist_of
from tests.realtime.wire import Wire, join
from tests.support.actors import Agency


async def places(wire: Wire) -> list[tuple[str, str, str | None]]:
    """(name, section, field) of everybody, as the next message about them says it."""
    people = (await wire.hear("presence"))["people"]
    return [(person["name"], person["section"], person["field"]) for person in people]


async def sees(wire: Wire, *expected: tuple[str, str, str | None]) -> None:
    """Returns when that is told. Who opens a chart while somebody moves may be told the same twice before."""
    while await places(wire) != list(expected):
        continue


async def test_medics_see_each_other_come_move_and_go(port: int, agency: Agency, relay: OutboxRelay) -> None:
    call = await a_published_call(agency, relay)
    channel = channel_of(agency, call)
    async with join(port, agency.medic.token) as medic:
        await medic.subscribe(channel)
        await medic.say("presence", channel=channel, section="vitals", field="heart_rate", entity_id=call["id"])
        assert await places(medic) == [("Medic", "vitals", "heart_rate")]
        async with join(port, agency.partner.token) as partner:
            await partner.subscribe(channel)
            assert await places(partner) == [("Medic", "vitals", "heart_rate")], "who comes later sees who is there"
            await partner.say("presence", channel=channel, section="narrative")
            await sees(medic, ("Medic", "vitals", "heart_rate"), ("Partner", "narrative", None))
            await places(partner)
            await partner.say("presence", channel=channel, section="narrative")
            assert await medic.quiet() == [], "a renewal changes nothing"
            await partner.say("presence", channel=channel, section=None)
            assert await places(medic) == [("Medic", "vitals", "heart_rate")]
            await partner.say("presence", channel=channel, section="patient")
            assert len(await places(medic)) == 2
            await partner.say("unsubscribe", channel=channel)
            assert await places(medic) == [("Medic", "vitals", "heart_rate")], "who closes the chart is not in it"
            await partner.subscribe(channel)
            await partner.say("presence", channel=channel, section="patient")
            assert len(await places(medic)) == 2
        assert await places(medic) == [("Medic", "vitals", "heart_rate")], "the connection has ended"


async def test_late_word_of_the_process_itself_brings_nobody_back() -> None:
    key, connection_id, said = (TenantId(uuid.uuid4()), f"incident:{uuid.uuid4()}"), uuid.uuid4(), list[str]()
    person = Person(
        user_id=uuid.uuid4(), connection_id=connection_id, name="Medic", section="vitals", field=None, entity_id=None,
        since=utcnow(),
    )  # fmt: skip
    bus = Bus(None, {}, lambda connected: None)
    changes: list[int] = []
    board, other = (PresenceBoard("presence", lambda key: changes.append(1)) for _ in range(2))

    async def keep(channel: str, text: str) -> None:
        said.append(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bus, "publish", keep)
        await board.announce(bus, key, connection_id, person)
        await board.announce(bus, key, connection_id, None)
    before = len(changes)
    board.hear(said[0])
    assert (board.people(key), len(changes)) == ((), before)
    other.hear(said[0])
    assert other.people(key) == (person,), "another process has not heard it yet"


async def test_presence_of_a_client_that_died_expires(
    port: int, agency: Agency, relay: OutboxRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = channel_of(agency, await a_published_call(agency, relay))
    monkeypatch.setattr(presence, "LIFE_SECONDS", 1)
    async with join(port, agency.medic.token) as medic, join(port, agency.partner.token) as partner:
        await medic.subscribe(channel)
        await partner.subscribe(channel)
        await partner.say("presence", channel=channel, section="vitals")
        assert len(await places(medic)) == 1
        assert await places(medic) == []


@pytest.mark.parametrize("name", ["founder"])
async def test_people_are_shown_to_readers_of_charts_only(
    name: str, port: int, agency: Agency, relay: OutboxRelay
) -> None:
    channel = channel_of(agency, await a_published_call(agency, relay))
    async with join(port, agency.medic.token) as medic, join(port, agency.actors[name].token) as other:
        await medic.subscribe(channel)
        assert (await other.subscribe(channel))["streams"] == {"claim.read": 0}
        await medic.say("presence", channel=channel, section="vitals")
        await places(medic)
        assert await other.quiet() == []
        await other.say("presence", channel=channel, section="vitals")
        assert (await other.hear("error"))["code"] == "FORBIDDEN"
        assert await medic.quiet() == []


@pytest.mark.parametrize(
    "place", [{"section": "John Smith"}, {"section": "vitals", "field": "SSN 123"}, {"section": ""}]
)
async def test_place_is_a_name_of_ours_and_never_a_value(
    place: dict[str, str], port: int, agency: Agency, relay: OutboxRelay
) -> None:
    channel = channel_of(agency, await a_published_call(agency, relay))
    async with join(port, agency.medic.token) as medic, join(port, agency.partner.token) as partner:
        await medic.subscribe(channel)
        await partner.subscribe(channel)
        await medic.say("presence", channel=channel, **place)
        answer = await medic.hear("error")
        assert (answer["code"], answer["about"], answer["refused"]) == ("VALIDATION_FAILED", channel, "presence")
        assert not any(value and value in answer["message"] for value in place.values() if value != "vitals")
        assert await partner.quiet() == []


async def test_presence_needs_the_open_channel_of_a_chart(port: int, agency: Agency, relay: OutboxRelay) -> None:
    channel = channel_of(agency, await a_published_call(agency, relay))
    async with join(port, agency.medic.token) as wire:
        await wire.say("presence", channel=channel, section="vitals")
        assert (await wire.hear("error"))["code"] == "NOT_FOUND"
        await wire.subscribe(worklist_of(agency, "incidents"))
        await wire.say("presence", channel=worklist_of(agency, "incidents"), section="vitals")
        assert (await wire.hear("error"))["code"] == "FORBIDDEN"
