"""outbox_events, which handler has taken which event, and the place of each event in the channels that carry it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import internal, plain
from app.core.db.entity import Base


class OutboxEvent(Base):
    """`sequence` orders one aggregate's events: it is drawn while the row lock of the change is held.

    Payloads carry ids, versions, statuses and the names of changed fields; never values.
    """

    __tablename__ = "outbox_events"

    id: Mapped[uuid.UUID] = internal(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = internal()
    sequence: Mapped[int] = internal(sa.BigInteger, sa.Identity(always=True))
    topic: Mapped[str] = plain()
    aggregate_id: Mapped[uuid.UUID] = internal()
    payload: Mapped[dict[str, Any]] = plain()
    created_at: Mapped[dt.datetime] = internal(server_default=sa.func.now())
    published_at: Mapped[dt.datetime | None] = internal()
    failed_at: Mapped[dt.datetime | None] = internal()
    attempts: Mapped[int] = internal(server_default=sa.text("0"))
    next_attempt_at: Mapped[dt.datetime | None] = internal()

    __table_args__ = (
        sa.Index(
            "ix_outbox_events_pending",
            "sequence",
            postgresql_where=sa.text("published_at IS NULL AND failed_at IS NULL"),
        ),
        sa.Index("ix_outbox_events_published", "published_at", postgresql_where=sa.text("published_at IS NOT NULL")),
        sa.Index("ix_outbox_events_tenant_created_at", "tenant_id", "created_at"),
    )


class OutboxDelivery(Base):
    """One row per event and handler. So a handler takes effect once, although delivery is at least once."""

    __tablename__ = "outbox_deliveries"

    id: Mapped[uuid.UUID] = internal(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = internal()
    event_id: Mapped[uuid.UUID] = internal()
    handler: Mapped[str] = plain()
    created_at: Mapped[dt.datetime] = internal(server_default=sa.func.now())

    __table_args__ = (
        sa.UniqueConstraint("event_id", "handler", name="uq_outbox_deliveries_handler"),
        sa.Index("ix_outbox_deliveries_tenant_created_at", "tenant_id", "created_at"),
    )


class OutboxStream(Base):
    """The counter of the events that a channel carries for the holders of one permission.

    `channel` is the name within the tenant. `stream` is the name of the permission.
    """

    __tablename__ = "outbox_streams"

    tenant_id: Mapped[uuid.UUID] = internal(primary_key=True)
    channel: Mapped[str] = internal(primary_key=True)
    stream: Mapped[str] = internal(primary_key=True)
    last_sequence: Mapped[int] = internal(sa.BigInteger)


class OutboxPosition(Base):
    """The place of an event in a channel. The relay gives it together with the mark that the event is published.

    A database has one relay, so positions are committed in the order of their ids. `sequence` counts per channel and
    stream without a gap.
    """

    __tablename__ = "outbox_positions"

    id: Mapped[int] = internal(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    tenant_id: Mapped[uuid.UUID] = internal()
    channel: Mapped[str] = internal()
    stream: Mapped[str] = internal()
    sequence: Mapped[int] = internal(sa.BigInteger)
    event_id: Mapped[uuid.UUID] = internal()
    placed_at: Mapped[dt.datetime] = internal(server_default=sa.func.now())

    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "channel", "stream", "sequence", name="uq_outbox_positions_sequence"),
        sa.UniqueConstraint("tenant_id", "event_id", "channel", name="uq_outbox_positions_event"),
        sa.Index("ix_outbox_positions_tenant_channel", "tenant_id", "channel", "id"),
    )
