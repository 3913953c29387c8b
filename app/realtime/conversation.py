"""What one client says, and what is answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import orjson
from pydantic import ValidationError
from starlette.websockets import WebSocket

from app.core.audit.refusals import record_denial
from app.core.clock import utcnow
from app.core.errors import AppError, Forbidden, NotFound, ValidationFailed
from app.core.http import as_app_error, invalid
from app.core.runtime import Runtime
from app.core.users.public import UserRepository
from app.ems.public import CHART_READ
from app.realtime.admission import Admission
from app.realtime.bus import Bus
from app.realtime.channels import is_spelled
from app.realtime.closing import CloseCode, Closed
from app.realtime.connection import Connection
from app.realtime.messages import (
    INCOMING,
    Attend,
    ClientMessage,
    Hello,
    Person,
    Ping,
    Pong,
    Presence,
    Refused,
    Renew,
    Renewed,
    Resume,
    Subscribe,
    Unsubscribe,
    Unsubscribed,
)
from app.realtime.opening import Opener
from app.realtime.presence import PresenceBoard
from app.realtime.subscription import Key, Subscription


class House(Protocol):
    """What a conversation needs of the process."""

    runtime: Runtime
    admission: Admission
    opener: Opener
    board: PresenceBoard
    bus: Bus


class Conversation:
    """Messages are taken in order. A channel is opened beside them, so that a long replay holds up nothing else."""

    def __init__(self, house: House, connection: Connection, max_bytes: int) -> None:
        self._house = house
        self._connection = connection
        self._max_bytes = max_bytes

    async def hold(self, socket: WebSocket) -> None:
        """Returns when the client has gone. Raises Closed to end the connection."""
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            self._connection.count_message()
            given = self._read(message.get("text"))
            try:
                await self._answer(INCOMING.validate_python(given))
            except ValidationError as error:
                problems = invalid(error.errors()).details["problems"]
                await self._refuse(ValidationFailed(problems[0]["message"]), given)
            except AppError as refusal:
                await self._refuse(refusal, given)

    def _read(self, text: str | None) -> dict[str, Any]:
        if text is None:
            raise Closed(CloseCode.BAD_MESSAGE)
        if len(text) > self._max_bytes or len(text.encode()) > self._max_bytes:
            raise Closed(CloseCode.TOO_LARGE)
        try:
            given = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise Closed(CloseCode.BAD_MESSAGE) from None
        if not isinstance(given, dict):
            raise Closed(CloseCode.BAD_MESSAGE)
        return given

    async def _answer(self, message: ClientMessage) -> None:
        match message:
            case Ping():
                self._connection.tell(Pong(n=message.n))
            case Renew():
                await self._renew(message)
            case Subscribe() | Resume():
                self._connection.spawn(self._open(message))
            case Unsubscribe():
                if not await leave(self._house, self._connection, message.channel):
                    raise NotFound
                self._connection.tell(Unsubscribed(channel=message.channel))
            case Attend():
                await self._attend(message)
            case Hello():
                raise ValidationFailed("This connection has said hello.")

    async def _renew(self, message: Renew) -> None:
        """Takes a token of the same session that permits the same. Any other one ends the connection."""
        before, after = self._connection.user, await self._house.admission.verify(message.token)
        if replace(before, expires_at=after.expires_at) != after:
            raise Closed(CloseCode.UNAUTHENTICATED)
        self._connection.principal = after
        self._connection.warned = False
        self._connection.tell(Renewed(expires_at=dt.datetime.fromtimestamp(after.expires_at, dt.UTC)))

    async def _open(self, message: Subscribe | Resume) -> None:
        try:
            await self._house.opener.open(self._connection, message.channel, message.last_event_id)
            await self._show_people(message.channel)
        except Exception as error:
            await self._refuse(as_app_error(error), message.model_dump())

    async def _show_people(self, name: str) -> None:
        """Whoever may read the chart sees who is in it."""
        subscription = self._connection.subscriptions.get(name)
        if subscription is None or not may_see_people(subscription):
            return
        key = key_of(subscription)
        await self._house.board.load(self._house.bus, key)
        if people := self._house.board.people(key):
            self._connection.tell(Presence(channel=name, people=people))

    async def _attend(self, message: Attend) -> None:
        subscription = self._connection.subscriptions.get(message.channel)
        if subscription is None:
            raise NotFound
        if not may_see_people(subscription):
            raise Forbidden.lacking(CHART_READ.name)
        key = key_of(subscription)
        person = None if message.section is None else await self._person(message, message.section, key)
        await self._house.board.announce(self._house.bus, key, self._connection.id, person)

    async def _person(self, message: Attend, section: str, key: Key) -> Person:
        connection = self._connection
        user = connection.user
        if connection.name is None and user.user_id is not None:
            async with self._house.runtime.read_unit_of_work(user) as uow:
                connection.name = (await UserRepository(uow).get(user.tenant_id, user.user_id)).display_name
        place: Mapping[str, Any] = {"section": section, "field": message.field, "entity_id": message.entity_id}
        before = self._house.board.find(key, connection.id)
        is_same = before is not None and place == before.model_dump(include=set(place))
        return Person(
            user_id=user.user_id,
            connection_id=connection.id,
            name=connection.name,
            since=before.since if before is not None and is_same else utcnow(),
            **place,
        )

    async def _refuse(self, refusal: AppError, given: Mapping[str, Any]) -> None:
        """Names the channel only if it is spelled like one, and the type only if there is such a type.

        The audit log has a lack of permission before the client has.
        """
        channel, kind = given.get("channel"), given.get("type")
        if isinstance(refusal, Forbidden):
            await record_denial(self._house.runtime, str(kind).upper(), {}, refusal)
        about = channel if isinstance(channel, str) and is_spelled(channel) else None
        refused = kind if isinstance(kind, str) and kind in _TYPES else None
        said = Refused(code=refusal.code, message=refusal.message, about=about or refused, refused=refused)
        self._connection.tell(said)


_TYPES = frozenset({"hello", "renew", "ping", "subscribe", "resume", "unsubscribe", "presence"})


async def leave(house: House, connection: Connection, name: str) -> bool:
    """Closes a channel, and ends the user's presence in it. False if it was not open."""
    subscription = connection.subscriptions.get(name)
    if subscription is None:
        return False
    house.opener.leave(connection, name)
    key = key_of(subscription)
    if house.board.find(key, connection.id) is not None:
        await house.board.announce(house.bus, key, connection.id, None)
    return True


def may_see_people(subscription: Subscription) -> bool:
    """True for the channel of a chart, and for who may read charts."""
    return subscription.channel.incident_id is not None and CHART_READ.name in subscription.streams


def key_of(subscription: Subscription) -> Key:
    return subscription.channel.tenant_id, subscription.channel.local
