"""A channel that one connection has opened: what it has been sent, and what waits until a replay has ended."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from app.core.ids import TenantId
from app.core.outbox.positions import Placed
from app.realtime.channels import Channel
from app.realtime.closing import CloseCode
from app.realtime.messages import Message

Key = tuple[TenantId, str]


class Receiver(Protocol):
    """The connection, as a subscription sees it."""

    id: uuid.UUID

    def put(self, text: str) -> None: ...

    def tell(self, message: Message) -> None: ...

    def close(self, code: CloseCode) -> None: ...


class Gap(Exception):
    """An event does not follow the one before it."""


class Subscription:
    """Events come from the dispatcher (`take`). While older ones are replayed (`give`), they are held back.

    A subscription that has ended sends nothing.

    `streams` are the permissions that the user holds. `place` is the position up to which everything was sent.
    """

    __slots__ = ("_held", "_sequences", "_skips", "channel", "ended", "place", "receiver", "streams")

    def __init__(self, receiver: Receiver, channel: Channel, streams: Iterable[str]) -> None:
        self.receiver = receiver
        self.channel = channel
        self.streams = frozenset(streams)
        self.place = 0
        self.ended = False
        self._sequences: dict[str, int] = {}
        self._held: list[tuple[Placed, str]] | None = []
        self._skips = False

    @property
    def sequences(self) -> dict[str, int]:
        """The last sequence of each stream."""
        return {stream: self._sequences.get(stream, 0) for stream in sorted(self.streams)}

    def stand_at(self, place: int, sequences: Mapping[str, int]) -> None:
        """What is given next follows this position."""
        self.place = place
        self._sequences = dict(sequences)

    def take(self, placed: Placed, text: str) -> None:
        """A new event. One that leaves a gap ends the connection, whose client then resumes."""
        if self._skips or placed.stream not in self.streams:
            return
        if self._held is not None:
            self._held.append((placed, text))
        else:
            self._send(placed, text)

    def give(self, placed: Placed, text: str) -> None:
        """Sends an event unless it was sent. Raises Gap if others are missing before it."""
        if self.ended or placed.id <= self.place:
            return
        if placed.sequence != self._sequences.get(placed.stream, 0) + 1:
            raise Gap
        self._sequences[placed.stream] = placed.sequence
        self.place = placed.id
        self.receiver.put(text)

    def hold(self) -> None:
        """Holds back what comes from now on. What was held is forgotten: the next read of the database shows it."""
        self._held = []
        self._skips = False

    def skip(self) -> None:
        """Drops what comes until `hold`, so that nothing piles up for a client that reads slowly."""
        self._held = []
        self._skips = True

    def release(self) -> None:
        """Sends what was held back, and from now on everything at once."""
        held, self._held = self._held or (), None
        for placed, text in held:
            self._send(placed, text)

    def _send(self, placed: Placed, text: str) -> None:
        try:
            self.give(placed, text)
        except Gap:
            self.receiver.close(CloseCode.GOING_AWAY)


class Subscriptions:
    """All open channels of a process, by tenant and channel."""

    def __init__(self) -> None:
        self._by_key: defaultdict[Key, dict[uuid.UUID, Subscription]] = defaultdict(dict)

    def add(self, subscription: Subscription) -> None:
        channel = subscription.channel
        self._by_key[channel.tenant_id, channel.local][subscription.receiver.id] = subscription

    def remove(self, subscription: Subscription) -> None:
        key = subscription.channel.tenant_id, subscription.channel.local
        held = self._by_key.get(key, {})
        if held.get(subscription.receiver.id) is subscription:
            del held[subscription.receiver.id]
            if not held:
                del self._by_key[key]

    def of(self, tenant_id: TenantId, local: str) -> tuple[Subscription, ...]:
        return tuple(self._by_key.get((tenant_id, local), {}).values())

    def dispatch(self, placed: Placed, encode: Callable[[Placed], str]) -> None:
        """Gives the event to whoever has its channel open. It is encoded once, if there is anybody."""
        receivers = self._by_key.get((placed.tenant_id, placed.channel))
        if receivers:
            text = encode(placed)
            for subscription in tuple(receivers.values()):
                subscription.take(placed, text)
