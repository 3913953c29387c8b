"""The messages of the protocol `fusionems.v1`: what clients may send, and what the server sends."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from app.core.outbox.positions import Placed
from app.realtime.channels import full_name

SUBPROTOCOL = "fusionems.v1"
BEARER = "bearer."

ChannelName = Annotated[str, Field(max_length=200, description="The name of a channel.")]
Word = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=64, description="A name of ours; never a value.")
]


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Hello(Message):
    """The first message, unless the token came as a subprotocol."""

    type: Literal["hello"]
    token: str = Field(max_length=4096, description="An access token.")


class Renew(Message):
    """Puts a fresh token of the same user and session in the place of the present one."""

    type: Literal["renew"]
    token: str = Field(max_length=4096, description="An access token.")


class Ping(Message):
    """Asks for a pong."""

    type: Literal["ping"]
    n: int | None = Field(None, ge=0, le=2**53, description="Comes back in the pong.")


class Subscribe(Message):
    """Opens a channel. With `last_event_id` the events after that one come first."""

    type: Literal["subscribe"]
    channel: ChannelName
    last_event_id: uuid.UUID | None = Field(None, description="The last event that the client has taken.")


class Resume(Message):
    """Opens a channel again after a reconnect."""

    type: Literal["resume"]
    channel: ChannelName
    last_event_id: uuid.UUID = Field(description="The last event that the client has taken.")


class Unsubscribe(Message):
    """Closes a channel."""

    type: Literal["unsubscribe"]
    channel: ChannelName


class Attend(Message):
    """Says where in the chart the user is. It holds for 30 seconds. Without a section the user leaves."""

    type: Literal["presence"]
    channel: ChannelName
    section: Word | None = None
    field: Word | None = None
    entity_id: uuid.UUID | None = Field(None, description="The entry that is being edited.")


ClientMessage = Annotated[Hello | Renew | Ping | Subscribe | Resume | Unsubscribe | Attend, Field(discriminator="type")]
CLIENT_MESSAGES: tuple[type[Message], ...] = (Hello, Renew, Ping, Subscribe, Resume, Unsubscribe, Attend)
INCOMING: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)

Streams = Annotated[
    dict[str, int], Field(description="The sequence that each stream has reached; what follows begins after it.")
]


class Welcome(Message):
    """The token is good. Channels may be opened."""

    type: Literal["welcome"] = "welcome"
    connection_id: uuid.UUID
    user_id: uuid.UUID
    tenant_id: uuid.UUID
    expires_at: dt.datetime = Field(description="When the token expires; renew it before.")
    heartbeat_seconds: int = Field(description="The server pings so often.")
    max_message_bytes: int


class Subscribed(Message):
    """The channel is open. The events that follow begin after `streams`."""

    type: Literal["subscribed"] = "subscribed"
    channel: ChannelName
    streams: Streams
    last_event_id: uuid.UUID | None = Field(description="The event up to which `streams` counts, if there is one.")


class Unsubscribed(Message):
    """The channel is closed."""

    type: Literal["unsubscribed"] = "unsubscribed"
    channel: ChannelName


class Event(Message):
    """Something has changed. Read it again over REST."""

    type: Literal["event"] = "event"
    channel: ChannelName
    id: uuid.UUID = Field(description="The same in every duplicate, and in every channel that carries the event.")
    topic: str
    schema_version: int
    stream: str = Field(description="The permission that reads the entity.")
    sequence: int = Field(description="Counts per channel and stream, without a gap.")
    occurred_at: dt.datetime
    entity_type: str
    entity_id: uuid.UUID
    version: int = Field(description="The version of the entity after the change.")
    payload: dict[str, Any]


class Resync(Message):
    """Events were missed that do not come again: load anew over REST. What follows begins after `streams`.

    It stands in the place of `subscribed` where the channel was being opened.
    """

    type: Literal["resync"] = "resync"
    channel: ChannelName
    reason: Literal["retention", "unknown_event", "overflow"]
    streams: Streams
    last_event_id: uuid.UUID | None


class Person(Message):
    """A connection that is in the chart."""

    user_id: uuid.UUID
    connection_id: uuid.UUID
    name: str | None = Field(description="The user's display name.")
    section: str
    field: str | None
    entity_id: uuid.UUID | None
    since: dt.datetime = Field(description="When this connection came to this place in the chart.")


class Presence(Message):
    """Everybody who is in the chart, whenever that changes. It is advice and locks nothing."""

    type: Literal["presence"] = "presence"
    channel: ChannelName
    people: tuple[Person, ...]


class Degraded(Message):
    """Events may come late, and presence shows this process only. Nothing is lost."""

    type: Literal["degraded"] = "degraded"


class Recovered(Message):
    """What was late has been sent."""

    type: Literal["recovered"] = "recovered"


class Pong(Message):
    """Answers a ping."""

    type: Literal["pong"] = "pong"
    n: int | None = None


class Renewed(Message):
    """The new token is taken."""

    type: Literal["renewed"] = "renewed"
    expires_at: dt.datetime


class Expiring(Message):
    """The token expires within a minute."""

    type: Literal["expiring"] = "expiring"
    expires_at: dt.datetime


class Refused(Message):
    """A message was refused. The connection stays."""

    type: Literal["error"] = "error"
    code: str = Field(description="A code of docs/errors.md.")
    message: str
    about: str | None = Field(None, description="The channel, or else the type of the message.")
    refused: str | None = Field(None, description="The type of the message, if there is such a type.")


SERVER_MESSAGES: tuple[type[Message], ...] = (
    Welcome,
    Subscribed,
    Unsubscribed,
    Event,
    Resync,
    Presence,
    Degraded,
    Recovered,
    Pong,
    Renewed,
    Expiring,
    Refused,
)
_APART = frozenset({"entity_type", "entity_id", "version"})


def encode(message: Message) -> str:
    return message.model_dump_json()


def encode_event(placed: Placed, schema_version: int) -> str:
    """The text of an `Event`, made once for all who get it."""
    payload = placed.payload
    return orjson.dumps(
        {
            "type": "event",
            "channel": full_name(placed.tenant_id, placed.channel),
            "id": placed.event_id,
            "topic": placed.topic,
            "schema_version": schema_version,
            "stream": placed.stream,
            "sequence": placed.sequence,
            "occurred_at": placed.occurred_at,
            "entity_type": payload["entity_type"],
            "entity_id": payload["entity_id"],
            "version": payload["version"],
            "payload": {name: value for name, value in payload.items() if name not in _APART},
        },
        default=str,  # asyncpg's UUIDs are of a class of their own
    ).decode()
