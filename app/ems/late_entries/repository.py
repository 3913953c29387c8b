"""Queries for late entries."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.filters import Shape
from app.core.ids import TenantId
from app.core.repository import Repository
from app.ems.incidents.models import Incident
from app.ems.late_entries.lifecycle import LateEntryStatus
from app.ems.late_entries.models import LateEntry

_table: Any = LateEntry.__table__
_incidents: Any = Incident.__table__
_OF_TENANT = _table.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid)
_BY_ENTRY = CompiledStatement(
    sa.select(*_table.c).where(
        _OF_TENANT, _table.c.entity_id == sa.bindparam("entity_id", type_=sa.Uuid), _table.c.deleted_at.is_(None)
    )
)
PENDING_OF = sa.and_(_table.c.status == LateEntryStatus.PENDING.value, _table.c.deleted_at.is_(None))
_PENDING = CompiledStatement(
    sa.select(_table.c.id)
    .where(_OF_TENANT, _table.c.incident_id == sa.bindparam("incident_id", type_=sa.Uuid), PENDING_OF)
    .limit(sa.literal_column("1"))
)
_CHART_IS_LIVE = (
    sa.select(sa.literal_column("1"))
    .where(
        _incidents.c.tenant_id == _table.c.tenant_id,
        _incidents.c.id == _table.c.incident_id,
        _incidents.c.deleted_at.is_(None),
    )
    .correlate(_table)
    .exists()
)


class LateEntryRepository(Repository[LateEntry]):
    entity = LateEntry
    filters = ("incident_id", "status", "author_id")

    async def find_by_entry(self, tenant_id: TenantId, entity_id: uuid.UUID) -> LateEntry | None:
        """The late entry that has, or will have, this id in the chart."""
        row = await self.uow.fetch_row(_BY_ENTRY, {"tenant_id": tenant_id, "entity_id": entity_id})
        return None if row is None else self._built((row,))[0]

    async def has_pending(self, tenant_id: TenantId, incident_id: uuid.UUID) -> bool:
        """True if an entry of the chart waits for a decision."""
        return await self.uow.fetch_row(_PENDING, {"tenant_id": tenant_id, "incident_id": incident_id}) is not None


class LateEntryWorkRepository(LateEntryRepository):
    """The late entries of all charts that are not deleted."""

    def _selected(self, shape: Shape, *, including_deleted: bool) -> sa.Select[Any]:
        return super()._selected(shape, including_deleted=including_deleted).where(_CHART_IS_LIVE)
