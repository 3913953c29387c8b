"""Queries for the places of events. The cross-tenant ones are for the process that serves all tenants' websockets."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.db.system import SystemUnitOfWork
from app.core.db.uow import ReadUnitOfWork
from app.core.outbox.models import OutboxEvent, OutboxPosition, OutboxStream
from app.core.outbox.positions import Placed

_positions: Any = OutboxPosition.__table__
_events: Any = OutboxEvent.__table__
_streams: Any = OutboxStream.__table__


def _given(table: Any, column: str, name: str | None = None) -> Any:
    return table.c[column] == sa.bindparam(name or column, type_=table.c[column].type)


def _held_streams(table: Any) -> Any:
    return table.c.stream == sa.func.any(sa.bindparam("streams", type_=sa.ARRAY(sa.Text)))


_IN_CHANNEL = (_given(_positions, "tenant_id"), _given(_positions, "channel"), _held_streams(_positions))
_PLACED = sa.select(
    _positions.c.id,
    _positions.c.tenant_id,
    _positions.c.channel,
    _positions.c.stream,
    _positions.c.sequence,
    _positions.c.event_id,
    _events.c.topic,
    _events.c.payload,
    _events.c.created_at,
).select_from(_positions.join(_events, _events.c.id == _positions.c.event_id))
_AFTER = CompiledStatement(
    _PLACED.where(_positions.c.id > sa.bindparam("after", type_=sa.BigInteger))
    .order_by(_positions.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_LAST = CompiledStatement(sa.select(sa.func.coalesce(sa.func.max(_positions.c.id), 0).label("last")))
_AFTER_IN_CHANNEL = CompiledStatement(
    _PLACED.where(*_IN_CHANNEL, _positions.c.id > sa.bindparam("after", type_=sa.BigInteger))
    .order_by(_positions.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_PLACE = CompiledStatement(sa.select(_positions.c.id).where(*_IN_CHANNEL, _given(_positions, "event_id")))
_LATEST = CompiledStatement(
    sa.select(_positions.c.id, _positions.c.event_id).where(*_IN_CHANNEL).order_by(_positions.c.id.desc()).limit(1)
)
_later = _positions.alias("later")
_COUNTS = CompiledStatement(
    sa.select(
        _streams.c.stream,
        (
            _streams.c.last_sequence
            - sa.select(sa.func.count())
            .select_from(_later)
            .where(
                _later.c.tenant_id == _streams.c.tenant_id,
                _later.c.channel == _streams.c.channel,
                _later.c.stream == _streams.c.stream,
                _later.c.id > sa.bindparam("after", type_=sa.BigInteger),
            )
            .scalar_subquery()
        ).label("sequence"),
    ).where(_given(_streams, "tenant_id"), _given(_streams, "channel"), _held_streams(_streams))
)


async def get_cross_tenant_for_admin_only_last_position(uow: SystemUnitOfWork) -> int:
    row = await uow.fetch_row(_LAST, {})
    last: int = row["last"]
    return last


async def get_cross_tenant_for_admin_only_positions(uow: SystemUnitOfWork, after: int, most: int) -> list[Placed]:
    """The first positions after `after`, of all tenants."""
    return [Placed.of(row) for row in await uow.fetch(_AFTER, {"after": after, "most": most})]


class ChannelReader:
    """Reads one channel of the unit's tenant, as far as the holder of `streams` may see it."""

    def __init__(self, uow: ReadUnitOfWork, channel: str, streams: Sequence[str]) -> None:
        self._uow = uow
        self._named = {"tenant_id": uow.tenant_id, "channel": channel, "streams": list(streams)}

    async def find_place(self, event_id: uuid.UUID) -> int | None:
        """The position of an event; None if the channel does not hold it, or not any more."""
        row = await self._uow.fetch_row(_PLACE, {**self._named, "event_id": event_id})
        return None if row is None else int(row["id"])

    async def find_latest(self) -> tuple[int, uuid.UUID] | None:
        """Position and id of the last event that the channel still holds."""
        row = await self._uow.fetch_row(_LATEST, self._named)
        return None if row is None else (row["id"], row["event_id"])

    async def sequences(self, place: int) -> dict[str, int]:
        """The sequence that each stream had reached at a position. A stream without events is left out."""
        rows = await self._uow.fetch(_COUNTS, {**self._named, "after": place})
        return {row["stream"]: row["sequence"] for row in rows}

    async def list_after(self, place: int, most: int) -> list[Placed]:
        rows = await self._uow.fetch(_AFTER_IN_CHANNEL, {**self._named, "after": place, "most": most})
        return [Placed.of(row) for row in rows]
