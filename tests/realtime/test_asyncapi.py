"""The AsyncAPI document says what is really spoken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from app.core.outbox.relay import OutboxRelay
from app.realtime import asyncapi
from app.realtime.closing import CloseCode
from app.realtime.router import PATH
from app.registry import TOPICS
from tests.realtime.calls import a_published_call, broadcast_topics, channel_of, revise
from tests.realtime.wire import dial
from tests.support.actors import Agency


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return asyncapi.document(TOPICS, "0.1.0")


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for held in node.values():
            yield from references(held)
    elif isinstance(node, list):
        for held in node:
            yield from references(held)


def resolve(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def validator(document: dict[str, Any], name: str) -> Any:
    """Judges messages of that name."""
    schema = {"components": document["components"], **document["components"]["messages"][name]["payload"]}
    return jsonschema_rs.validator_for(schema)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert found
    for reference in found:
        assert resolve(document, reference), reference


def test_document_has_the_address_every_topic_and_every_close_code(document: dict[str, Any]) -> None:
    channel = document["channels"]["websocket"]
    assert channel["address"] == PATH
    assert set(channel["messages"]) >= {topic.name for topic in broadcast_topics()}
    assert all(str(int(code)) in channel["description"] for code in CloseCode)
    for name, message in document["components"]["messages"].items():
        assert message["summary"].endswith("."), name


async def test_messages_of_the_service_are_as_documented(
    document: dict[str, Any], port: int, agency: Agency, relay: OutboxRelay
) -> None:
    call = await a_published_call(agency, relay)
    channel = channel_of(agency, call)
    async with dial(port) as wire:
        heard = [await wire.hello(agency.medic.token), await wire.subscribe(channel)]
        heard.append(await wire.subscribe(channel, call["id"]))
        heard.append(await wire.subscribe("nothing"))
        await wire.say("presence", channel=channel, section="vitals")
        heard.append(await wire.hear("presence"))
        await wire.say("unsubscribe", channel=channel)
        heard.append(await wire.hear("unsubscribed"))
        await wire.say("renew", token=agency.medic.token)
        heard.append(await wire.hear("renewed"))
        await wire.subscribe(channel)
        await revise(agency.medic, call)
        await relay.drain()
        event = await wire.hear("event")
    names = {"presence": "presence.told"}
    assert len({message["type"] for message in heard}) == 7
    for message in heard:
        validator(document, names.get(message["type"], message["type"])).validate(message)
    judge = validator(document, event["topic"])
    judge.validate(event)
    assert not judge.is_valid({**event, "stream": "claim.read"})
    assert not judge.is_valid({**event, "payload": {**event["payload"], "incident_number": "26-1"}}), "no values"
