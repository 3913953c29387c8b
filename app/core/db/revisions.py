"""chart_revisions holds every version of every clinical entity in full. Audit rows are redacted and cannot do this."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.core.db.columns import internal, phi, plain
from app.core.db.entity import Base


def decimals_of(snapshot: Any) -> Any:
    """SQL for {column: text} of a snapshot's numbers with a decimal point, or null if there are none.

    JSON readers turn these numbers into floats, and a float cannot tell 37.0 from 37.00.
    """
    each = sa.func.jsonb_each(snapshot).table_valued(sa.column("key", sa.Text), sa.column("value", JSONB), name="each")
    each = each.render_derived()
    text = sa.cast(each.c.value, sa.Text)
    pairs = sa.func.jsonb_object_agg(each.c.key, text, type_=JSONB)
    written = sa.func.jsonb_typeof(each.c.value) == "number"
    return sa.select(pairs).where(written, text.contains(".")).scalar_subquery()


def with_decimals(snapshot: dict[str, Any], decimals: dict[str, str] | None) -> dict[str, Any]:
    """The snapshot with the exact numbers that `decimals_of` found."""
    return snapshot | {key: Decimal(text) for key, text in (decimals or {}).items()}


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
