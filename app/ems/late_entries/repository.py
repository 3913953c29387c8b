"""Queries for late entries."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.filters import Shape, chosen, shape_of
from app.core.ids import TenantId
from app.core.pagination import Page, Paging, keyset
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
_AT_WORK = (
    sa.select(*_table.c)
    .join_from(
        _table,
        _incidents,
        sa.and_(
            _incidents.c.tenant_id == _table.c.tenant_id,
            _incidents.c.id == _table.c.incident_id,
            _incidents.c.deleted_at.is_(None),
        ),
    )
    .where(_OF_TENANT, _table.c.deleted_at.is_(None))
)
_WORK: dict[tuple[Shape, bool, bool], CompiledStatement] = {}


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

    async def list_work(self, tenant_id: TenantId, paging: Paging, **filters: Any) -> Page[LateEntry]:
        """A page of the late entries of all charts that are not deleted. Filters are those of `list_page`."""
        given = chosen(filters)
        shape, ascending, after = shape_of(given), paging.ascending, paging.cursor is not None
        statement = _WORK.get((shape, ascending, after))
        if statement is None:
            query = _AT_WORK.where(*(self._condition(name, several) for name, several in shape))
            ordered = keyset(query, _table.c.created_at, _table.c.id, ascending=ascending, after=after)
            statement = _WORK[shape, ascending, after] = CompiledStatement(ordered)
        rows = await self.uow.fetch(statement, {**given, **paging.values(), "tenant_id": tenant_id})
        shown, next_cursor = paging.split(rows)
        return Page[Any].model_construct(items=self._built(shown), next_cursor=next_cursor)
