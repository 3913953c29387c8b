"""idempotency_keys: which key made which resource, and from which request."""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import internal
from app.core.db.entity import Base


class IdempotencyKey(Base):
    """`fingerprint` is the SHA-256 of route and body; it tells a repeated request from a different one."""

    __tablename__ = "idempotency_keys"

    id: Mapped[uuid.UUID] = internal(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = internal()
    key: Mapped[str] = internal()
    fingerprint: Mapped[bytes] = internal()
    entity_id: Mapped[uuid.UUID] = internal()
    created_at: Mapped[dt.datetime] = internal(server_default=sa.func.now())

    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "key", name="uq_idempotency_keys_key"),
        sa.Index("ix_idempotency_keys_tenant_created_at", "tenant_id", "created_at"),
    )
