"""audit_events (directive 4.3) and access_log: append-only, partitioned by month on their time-ordered ids."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import internal, plain
from app.core.db.entity import Base


class AuditEvent(Base):
    __tablename__ = "audit_events"

    id: Mapped[uuid.UUID] = internal(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = internal()
    actor_user_id: Mapped[uuid.UUID | None] = internal()
    entity_type: Mapped[str] = plain()
    entity_id: Mapped[uuid.UUID] = internal()
    action: Mapped[str] = plain()
    changed_fields_json: Mapped[dict[str, Any]] = plain()
    metadata_json: Mapped[dict[str, Any] | None] = plain()
    request_id: Mapped[uuid.UUID | None] = internal()
    created_at: Mapped[dt.datetime] = internal(server_default=sa.func.now())

    __table_args__ = (
        sa.Index("ix_audit_events_tenant_created_at", "tenant_id", "created_at"),
        sa.Index("ix_audit_events_tenant_id", "tenant_id", "id"),
        sa.Index("ix_audit_events_tenant_entity_id", "tenant_id", "entity_id", "id"),
        sa.Index("ix_audit_events_tenant_entity_type", "tenant_id", "entity_type", "id"),
        sa.Index("ix_audit_events_tenant_actor", "tenant_id", "actor_user_id", "id"),
        sa.Index("ix_audit_events_tenant_action", "tenant_id", "action", "id"),
        {"postgresql_partition_by": "RANGE (id)"},
    )


class AccessEntry(Base):
    """One request showed these charts to this person. `incident_ids` is used for several charts, else `incident_id`."""

    __tablename__ = "access_log"

    id: Mapped[uuid.UUID] = internal(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = internal()
    actor_user_id: Mapped[uuid.UUID] = internal()
    actor_role: Mapped[str] = plain()
    purpose: Mapped[str] = plain()
    route: Mapped[str | None] = plain()
    request_id: Mapped[uuid.UUID | None] = internal()
    incident_id: Mapped[uuid.UUID | None] = internal()
    incident_ids: Mapped[list[uuid.UUID] | None] = internal(sa.ARRAY(sa.Uuid))
    categories: Mapped[list[str]] = plain(sa.ARRAY(sa.Text))
    created_at: Mapped[dt.datetime] = internal(server_default=sa.func.now())

    __table_args__ = (
        sa.Index("ix_access_log_tenant_id", "tenant_id", "id"),
        sa.Index("ix_access_log_tenant_created_at", "tenant_id", "created_at"),
        sa.Index("ix_access_log_tenant_incident_id", "tenant_id", "incident_id", "id"),
        sa.Index("ix_access_log_tenant_actor", "tenant_id", "actor_user_id", "id"),
        sa.Index("ix_access_log_lists", "tenant_id", "id", postgresql_where=sa.text("incident_ids IS NOT NULL")),
        {"postgresql_partition_by": "RANGE (id)"},
    )
