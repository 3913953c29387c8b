"""Opens a channel for a connection: may the user, from where, and what was missed."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from app.core.clock import utcnow
from app.core.errors import Forbidden, LimitReached, NotFound
from app.core.ids import least_id_at
from app.core.outbox.positions import Placed
from app.core.outbox.repository import ChannelReader
from app.core.runtime import Runtime
from app.ems.public import is_chart_open_to
from app.realtime.channels import Directory
from app.realtime.connection import Connection
from app.realtime.messages import Resync, Subscribed
from app.realtime.settings import RealtimeSettings
from app.realtime.subscription import Gap, Subscription, Subscriptions

READS_AT_ONCE = 4
"""Replays that read at the same time. After a restart everybody resumes, and requests need the connections, too."""

Reason = Literal["retention", "unknown_event", "overflow"]


@dataclass(frozen=True, slots=True)
class Start:
    """The position after which a subscription begins, and its event, if there is one.

    `is_known` is true for the event that the client named.
    """

    place: int
    event_id: uuid.UUID | None
    is_known: bool = False


class Opener:
    """While older events are read from the database, new ones are held back. So none is missed between them."""

    def __init__(
        self, runtime: Runtime, directory: Directory, subscriptions: Subscriptions, encode: Callable[[Placed], str]
    ) -> None:
        self._runtime = runtime
        self._limits = runtime.settings.group(RealtimeSettings)
        self._directory = directory
        self._subscriptions = subscriptions
        self._encode = encode
        self._reading = asyncio.Semaphore(READS_AT_ONCE)

    async def open(self, connection: Connection, name: str, last_event_id: uuid.UUID | None) -> None:
        """Answers with `subscribed`, or with `resync` if what was missed cannot be replayed.

        Raises NotFound for a channel that does not exist for the user, Forbidden for one of which he may read nothing,
        LimitReached.
        """
        channel = self._directory.find(name, connection.user.tenant_id)
        if channel is None:
            raise NotFound
        streams = self._directory.streams(channel, connection.user)
        if not streams:
            raise Forbidden.lacking(self._directory.needed(channel))
        self.leave(connection, name)
        if len(connection.subscriptions) >= self._limits.realtime_subscriptions:
            raise LimitReached(f"A connection may open {self._limits.realtime_subscriptions} channels.")
        subscription = Subscription(connection, channel, streams)
        connection.subscriptions[name] = subscription
        self._subscriptions.add(subscription)
        try:
            await self._begin(connection, subscription, last_event_id)
        except BaseException:
            self.leave(connection, name, subscription)
            raise

    def leave(self, connection: Connection, name: str, only: Subscription | None = None) -> bool:
        """Closes a channel. False if it was not open."""
        subscription = connection.subscriptions.get(name)
        if subscription is None or (only is not None and subscription is not only):
            return False
        subscription.ended = True
        del connection.subscriptions[name]
        self._subscriptions.remove(subscription)
        return True

    async def _begin(self, connection: Connection, subscription: Subscription, last_event_id: uuid.UUID | None) -> None:
        start = await self._survey(connection, subscription, last_event_id)
        if subscription.ended:
            return
        if last_event_id is not None and not start.is_known:
            self._tell_resync(connection, subscription, start, self._reason(last_event_id))
        else:
            name, sequences = subscription.channel.name, subscription.sequences
            connection.tell(Subscribed(channel=name, streams=sequences, last_event_id=start.event_id))
            if last_event_id is not None:
                await self._replay(connection, subscription)
        subscription.release()

    async def _survey(
        self, connection: Connection, subscription: Subscription, last_event_id: uuid.UUID | None
    ) -> Start:
        """Finds where the subscription begins: after the event, or else after the last one of the channel."""
        channel = subscription.channel
        async with self._reading, self._runtime.read_unit_of_work(connection.user) as uow:
            if channel.incident_id is not None and not await is_chart_open_to(uow, channel.incident_id):
                raise NotFound
            reader = ChannelReader(uow, channel.local, sorted(subscription.streams))
            known = None if last_event_id is None else await reader.find_place(last_event_id)
            if known is not None:
                start = Start(known, last_event_id, is_known=True)
            else:
                start = Start(*(await reader.find_latest() or (0, None)))
            subscription.stand_at(start.place, await reader.sequences(start.place))
        return start

    async def _replay(self, connection: Connection, subscription: Subscription) -> None:
        """Sends what the channel holds after the subscription's place, page by page, as the client takes it."""
        sent = 0
        while not subscription.ended and connection.closed_with is None:
            subscription.skip()
            await connection.room()
            subscription.hold()
            page = await self._page(connection, subscription)
            try:
                for placed in page:
                    subscription.give(placed, self._encode(placed))
            except Gap:
                await self._begin_anew(connection, subscription, "retention")
                return
            sent += len(page)
            if len(page) < connection.page:
                return
            if sent >= self._limits.realtime_replay:
                await self._begin_anew(connection, subscription, "overflow")
                return

    async def _page(self, connection: Connection, subscription: Subscription) -> list[Placed]:
        async with self._reading, self._runtime.read_unit_of_work(connection.user) as uow:
            reader = ChannelReader(uow, subscription.channel.local, sorted(subscription.streams))
            return await reader.list_after(subscription.place, connection.page)

    async def _begin_anew(self, connection: Connection, subscription: Subscription, reason: Reason) -> None:
        """Gives up the replay. What follows is new."""
        subscription.hold()
        start = await self._survey(connection, subscription, None)
        if not subscription.ended:
            self._tell_resync(connection, subscription, start, reason)

    def _tell_resync(self, connection: Connection, subscription: Subscription, start: Start, reason: Reason) -> None:
        name, sequences = subscription.channel.name, subscription.sequences
        connection.tell(Resync(channel=name, reason=reason, streams=sequences, last_event_id=start.event_id))

    def _reason(self, last_event_id: uuid.UUID) -> Reason:
        """Ids of events begin with their time."""
        kept_since = utcnow() - dt.timedelta(hours=self._runtime.settings.outbox_retention_hours)
        is_old = last_event_id.version == 7 and last_event_id < least_id_at(kept_since)
        return "retention" if is_old else "unknown_event"
