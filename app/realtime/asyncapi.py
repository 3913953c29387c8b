"""The AsyncAPI document of the websocket, made from the declarations of topics, messages and close codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic.json_schema import models_json_schema

from app.core.events import Broadcast, EventPayload, Topic, Worklist
from app.core.paths import API_PREFIX
from app.realtime.closing import CloseCode
from app.realtime.messages import CLIENT_MESSAGES, SERVER_MESSAGES, SUBPROTOCOL, Event, Message

VERSION = "3.0.0"
_SCHEMAS = "#/components/schemas/"
_APART = ("entity_type", "entity_id", "version")
_DESCRIPTION = (
    "One websocket carries what changed in the charts and worklists that the client opens. Messages are JSON objects"
    " with a `type`. The first one is `hello` with an access token, unless the token was offered as the subprotocol"
    f" `bearer.<token>` beside `{SUBPROTOCOL}`. Events name what changed; what it is now is read over REST."
)


def broadcasts(topics: Iterable[Topic]) -> list[tuple[Topic, Broadcast]]:
    """The topics that websockets carry, by name."""
    found = [(topic, topic.broadcast) for topic in topics if topic.broadcast is not None]
    return sorted(found, key=lambda pair: pair[0].name)


def worklists(topics: Iterable[Topic]) -> list[Worklist]:
    """The worklists that carry topics, by name."""
    found = {broadcast.worklist.name: broadcast.worklist for _, broadcast in broadcasts(topics)}
    return [found[name] for name in sorted(found)]


def document(topics: Sequence[Topic], version: str) -> dict[str, Any]:
    """AsyncAPI 3. Each topic is a message of its own; its payload is an `Event` with the topic's own content."""
    carried = broadcasts(topics)
    models = [*CLIENT_MESSAGES, *SERVER_MESSAGES, *(broadcast.payload for _, broadcast in carried)]
    unique = list(dict.fromkeys(models))
    _, schemas = models_json_schema([(model, "validation") for model in unique], ref_template=_SCHEMAS + "{model}")
    named = schemas["$defs"]
    for payload in {broadcast.payload for _, broadcast in carried}:
        named[_content(payload)] = _without(named.pop(payload.__name__), _APART)
    messages = {_name(model): _message(model) for model in (*CLIENT_MESSAGES, *SERVER_MESSAGES) if model is not Event}
    messages |= {topic.name: _event(topic, broadcast) for topic, broadcast in carried}
    sent = [_name(model) for model in CLIENT_MESSAGES]
    told = [name for name in messages if name not in sent]
    return {
        "asyncapi": VERSION,
        "info": {"title": "FusionEMS Quantum, websocket", "version": version, "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {
            "websocket": {
                "address": f"{API_PREFIX}/realtime/ws",
                "description": "\n".join(f"{int(code)}: {code.meaning}" for code in CloseCode),
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {
            "hear": _operation("receive", sent, "What a client may say.", "An error answers what is refused."),
            "tell": _operation("send", told, "What the service says.", "A client ignores types that it does not know."),
        },
        "components": {"messages": messages, "schemas": dict(sorted(named.items()))},
    }


def _operation(action: str, names: Sequence[str], summary: str, description: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/websocket"},
        "summary": summary,
        "description": description,
        "messages": [{"$ref": f"#/channels/websocket/messages/{name}"} for name in names],
    }


def _name(model: type[Message]) -> str:
    """The name of a message in the document: its type, and who says it where both sides have such a type."""
    kind: Any = model.model_fields["type"].annotation
    (word,) = kind.__args__
    return f"{word}.{'said' if model in CLIENT_MESSAGES else 'told'}" if word == "presence" else str(word)


def _message(model: type[Message]) -> dict[str, Any]:
    return {"summary": _summary(model), "payload": {"$ref": _SCHEMAS + model.__name__}}


def _summary(model: type[Message]) -> str:
    return (model.__doc__ or "").strip().partition("\n")[0]


def _content(payload: type[EventPayload]) -> str:
    return f"{payload.__name__}Content"


def _event(topic: Topic, broadcast: Broadcast) -> dict[str, Any]:
    own = {
        "topic": {"const": topic.name},
        "schema_version": {"const": broadcast.version},
        "stream": {"const": broadcast.permission.name},
        "payload": {"$ref": _SCHEMAS + _content(broadcast.payload)},
    }
    return {
        "summary": topic.description,
        "payload": {"allOf": [{"$ref": f"{_SCHEMAS}Event"}, {"type": "object", "properties": own}]},
        "x-permission": broadcast.permission.name,
        "x-worklist": broadcast.worklist.name,
    }


def _without(schema: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The schema of the part that stands in `payload`: an event has the rest beside it."""
    properties = {name: held for name, held in schema["properties"].items() if name not in names}
    required = [name for name in schema.get("required", ()) if name not in names]
    return {**schema, "title": f"{schema['title']}Content", "properties": properties, "required": required}
