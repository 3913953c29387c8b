"""chart_amendments: one row per change of a completed chart."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, internal, plain, values_check
from app.core.db.entity import TenantEntity, standard_constraints


class AmendmentChange(StrEnum):
    CREATED = "created"
    REVISED = "revised"
    DELETED = "deleted"
    RESTORED = "restored"


class ChartAmendment(TenantEntity):
    """One change of a completed chart. The two versions that it lies between are in chart_revisions.

    `base_version` is the version that the completed chart held of the entry, 0 for none. `completed_at` is copied from
    the chart. It tells apart the times that the chart stood completed, because unlocking sets a new one.
    """

    __tablename__ = "chart_amendments"
    entity_type: ClassVar[str] = "chart_amendment"
    aggregate: ClassVar[str] = "incident_id"
    references: ClassVar[tuple[str, ...]] = ("incident_id",)

    incident_id: Mapped[uuid.UUID] = internal()
    entity: Mapped[str] = plain()
    entity_id: Mapped[uuid.UUID] = internal()
    change: Mapped[AmendmentChange] = plain(EnumText(AmendmentChange))
    base_version: Mapped[int] = plain()
    entity_version: Mapped[int] = plain()
    completed_at: Mapped[dt.datetime] = plain()
    reason: Mapped[str] = plain()
    amended_by: Mapped[uuid.UUID] = internal()

    __table_args__ = (
        *standard_constraints("chart_amendments", "incident_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name="fk_chart_amendments_incident_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "amended_by"], ["users.tenant_id", "users.id"], name="fk_chart_amendments_amended_by"
        ),
        sa.UniqueConstraint("tenant_id", "entity_id", "entity_version", name="uq_chart_amendments_version"),
        sa.CheckConstraint("base_version < entity_version", name="base_version"),
        values_check("change", AmendmentChange),
    )
