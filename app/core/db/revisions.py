"""chart_revisions: every version of every clinical entity, whole; audit rows are redacted and cannot serve history."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import internal, phi, plain
from app.core.db.entity import Base


class ChartRevision(Base):
    __tablename__ = "chart_revisions"

    id: Mapped[uuid.UUID] = internal(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = internal()
    incident_id: Mapped[uuid.UUID] = internal()
    entity: Mapped[str] = plain()
    entity_id: Mapped[uuid.UUID] = internal()
    version: Mapped[int] = internal()
    snapshot: Mapped[dict[str, Any]] = phi()
    created_at: Mapped[dt.datetime] = internal(server_default=sa.func.now())

    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "entity_id", "version", name="uq_chart_revisions_version"),
        sa.Index("ix_chart_revisions_tenant_incident_id", "tenant_id", "incident_id", "created_at"),
        sa.Index("ix_chart_revisions_tenant_created_at", "tenant_id", "created_at"),
    )
