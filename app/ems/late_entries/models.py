"""The table late_entries. Its rows stand beside the chart: a late entry changes nothing until it is admitted."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, internal, phi, plain
from app.core.db.entity import TenantEntity, standard_constraints
from app.ems.late_entries.lifecycle import LateEntryStatus, late_entry_lifecycle

_PEOPLE = ("charted_by", "author_id", "submitted_by", "decided_by")


class LateEntry(TenantEntity):
    """The creation of an entry that the chart did not take, because it waited for its review.

    `entity_id` is the id that the entry has when it is admitted. `body` is the creation's body. `author_id` and
    `submitted_by` are the chart's.
    """

    __tablename__ = "late_entries"
    entity_type: ClassVar[str] = "late_entry"
    aggregate: ClassVar[str] = "incident_id"
    references: ClassVar[tuple[str, ...]] = ("incident_id",)

    incident_id: Mapped[uuid.UUID] = internal()
    charted_by: Mapped[uuid.UUID] = internal()
    author_id: Mapped[uuid.UUID] = internal()
    submitted_by: Mapped[uuid.UUID | None] = internal(default=None)
    status: Mapped[LateEntryStatus] = plain(EnumText(LateEntryStatus), default=LateEntryStatus.PENDING)
    entity: Mapped[str] = plain()
    entity_id: Mapped[uuid.UUID] = internal()
    body: Mapped[dict[str, Any]] = phi(JSONB(none_as_null=True), heavy=True)
    decided_by: Mapped[uuid.UUID | None] = plain(default=None)
    decided_at: Mapped[dt.datetime | None] = plain(default=None)
    refusal_reason: Mapped[str | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("late_entries", "status", "incident_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_late_entries_incident_id"
        ),
        *(
            sa.ForeignKeyConstraint(
                ["tenant_id", name], ["users.tenant_id", "users.id"], name=f"fk_late_entries_{name}"
            )
            for name in _PEOPLE
        ),
        sa.UniqueConstraint("tenant_id", "entity_id", name="uq_late_entries_entity_id"),
        late_entry_lifecycle.check(),
    )
