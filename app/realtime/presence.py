"""Who is in which chart. It is advice: it expires when a client dies, and it locks nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from app.core.clock import timestamp
from app.core.ids import TenantId
from app.realtime.bus import Bus
from app.realtime.messages import Person
from app.realtime.subscription import Key

LIFE_SECONDS = 30
STORED_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Stay:
    """A person at a place in a chart. `person` is None for one who has left."""

    connection_id: uuid.UUID
    person: Person | None
    until: float


class PresenceBoard:
    """Those who are in the charts that somebody of this process looks at. `on_change` hears of every change."""

    def __init__(self, prefix: str, on_change: Callable[[Key], None]) -> None:
        self._prefix = prefix
        self._on_change = on_change
        self._origin = str(uuid.uuid4())
        self._stays: dict[Key, dict[uuid.UUID, Stay]] = {}
        self.channel = prefix

    def people(self, key: Key) -> tuple[Person, ...]:
        """In the order in which they came."""
        stays = self._stays.get(key, {}).values()
        people = [stay.person for stay in stays if stay.person is not None]
        return tuple(sorted(people, key=lambda person: (person.since, person.connection_id)))

    def find(self, key: Key, connection_id: uuid.UUID) -> Person | None:
        stay = self._stays.get(key, {}).get(connection_id)
        return None if stay is None else stay.person

    async def announce(self, bus: Bus, key: Key, connection_id: uuid.UUID, person: Person | None) -> None:
        """Shows somebody here, and to the other processes. Without a person the connection has left."""
        stay = Stay(connection_id, person, timestamp() + LIFE_SECONDS)
        self._put(key, stay)
        text = orjson.dumps(
            {
                "origin": self._origin,
                "tenant_id": key[0],
                "local": key[1],
                "connection_id": connection_id,
                "person": None if person is None else person.model_dump(mode="json"),
                "until": stay.until,
            }
        ).decode()
        await bus.store(self._stored(key), str(connection_id), None if person is None else text, STORED_SECONDS)
        await bus.publish(self.channel, text)

    async def load(self, bus: Bus, key: Key) -> None:
        """Learns who is there already, as far as Redis knows."""
        for text in await bus.load(self._stored(key)):
            self.hear(text)

    def hear(self, text: str) -> None:
        """What another process has announced.

        Redis sends a process its own words, too. They come late, and would bring back who has left meanwhile.
        """
        given = orjson.loads(text)
        if given["origin"] == self._origin:
            return
        person = None if given["person"] is None else Person.model_validate(given["person"])
        key = TenantId(uuid.UUID(given["tenant_id"])), given["local"]
        self._put(key, Stay(uuid.UUID(given["connection_id"]), person, given["until"]))

    def expire(self) -> None:
        """Removes those who have not said for too long that they are there."""
        now = timestamp()
        for key, stays in list(self._stays.items()):
            gone = [connection_id for connection_id, stay in stays.items() if stay.until <= now]
            for connection_id in gone:
                self._put(key, Stay(connection_id, None, now))

    def _put(self, key: Key, stay: Stay) -> None:
        stays = self._stays.setdefault(key, {})
        before = stays.get(stay.connection_id)
        if stay.person is None or stay.until <= timestamp():
            stays.pop(stay.connection_id, None)
            changed = before is not None
        else:
            stays[stay.connection_id] = stay
            changed = before is None or before.person != stay.person
        if not stays:
            del self._stays[key]
        if changed:
            self._on_change(key)

    def _stored(self, key: Key) -> str:
        return f"{self._prefix}:{key[0]}:{key[1]}"
