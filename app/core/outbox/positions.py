"""Where a published event stands in the channels that carry it. The relay decides this; websockets go by it.

Positions have the order in which they were committed, because a database has one relay. So whoever has read to a
position has missed nothing before it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson

from app.core.events import Topic
from app.core.ids import TenantId


@dataclass(frozen=True, slots=True)
class Placed:
    """An event at its place in one channel. `channel` is the name within the tenant; `id` orders all channels."""

    id: int
    tenant_id: TenantId
    channel: str
    stream: str
    sequence: int
    event_id: uuid.UUID
    topic: str
    occurred_at: dt.datetime
    payload: dict[str, Any]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls(
            id=row["id"],
            tenant_id=TenantId(row["tenant_id"]),
            channel=row["channel"],
            stream=row["stream"],
            sequence=row["sequence"],
            event_id=row["event_id"],
            topic=row["topic"],
            occurred_at=row["created_at"],
            payload=row["payload"],
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """What the relay has placed at once. Everything up to the position `before` was placed earlier."""

    before: int
    events: tuple[Placed, ...] = ()

    def dump(self) -> bytes:
        return orjson.dumps(self, default=str)  # asyncpg's UUIDs are of a class of their own

    @classmethod
    def load(cls, text: str | bytes) -> Batch:
        given = orjson.loads(text)
        return cls(given["before"], tuple(_loaded(event) for event in given["events"]))


def _loaded(given: dict[str, Any]) -> Placed:
    return Placed(
        **given
        | {
            "tenant_id": TenantId(uuid.UUID(given["tenant_id"])),
            "event_id": uuid.UUID(given["event_id"]),
            "occurred_at": dt.datetime.fromisoformat(given["occurred_at"]),
        }
    )


class Places:
    """Says in which channels and streams each topic's events are placed."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._broadcasts = {topic.name: topic.broadcast for topic in topics if topic.broadcast is not None}

    def of(self, event: Mapping[str, Any]) -> Iterator[tuple[uuid.UUID, uuid.UUID, str, str]]:
        """(event id, tenant id, channel, stream) for each channel that carries the event."""
        broadcast = self._broadcasts.get(event["topic"])
        if broadcast is not None:
            for channel in broadcast.channels(event["aggregate_id"], event["payload"]):
                yield event["id"], event["tenant_id"], channel, broadcast.permission.name


MARK = """
WITH given AS (
  SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[])
    WITH ORDINALITY AS listed (event_id, tenant_id, channel, stream, place)
  WHERE NOT EXISTS (
    SELECT FROM outbox_positions AS held
    WHERE held.tenant_id = listed.tenant_id AND held.event_id = listed.event_id AND held.channel = listed.channel)
), counted AS (
  INSERT INTO outbox_streams AS held (tenant_id, channel, stream, last_sequence)
  SELECT tenant_id, channel, stream, count(*) FROM given GROUP BY tenant_id, channel, stream
  ON CONFLICT (tenant_id, channel, stream) DO UPDATE SET last_sequence = held.last_sequence + excluded.last_sequence
  RETURNING tenant_id, channel, stream, last_sequence
), placed AS (
  INSERT INTO outbox_positions (tenant_id, channel, stream, sequence, event_id)
  SELECT tenant_id, channel, stream,
    last_sequence + 1 - row_number() OVER (PARTITION BY tenant_id, channel, stream ORDER BY place DESC), event_id
  FROM given JOIN counted USING (tenant_id, channel, stream) ORDER BY place
  RETURNING id, tenant_id, channel, stream, sequence, event_id
), published AS (
  UPDATE outbox_events SET published_at = now() WHERE id = ANY($1::uuid[])
), set_aside AS (
  UPDATE outbox_events SET attempts = attempts + 1, failed_at = now() WHERE id = ANY($2::uuid[])
)
SELECT placed.*, (SELECT coalesce(max(id), 0) FROM outbox_positions) AS before FROM placed ORDER BY id
"""
"""Marks events as published ($1) or set aside ($2), and gives the places ($3 to $6) to those that have none yet.

An event that is marked twice keeps its places: a replay shows the same sequence. An event that is set aside is placed,
too, because its change has happened whether its handlers took it or not.
"""
LAST_POSITION = "SELECT coalesce(max(id), 0) FROM outbox_positions"
