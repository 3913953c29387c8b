"""Queries for late entries."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
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
    .where(
        _OF_TENANT,
        _table.c.status == sa.bindparam("status", type_=_table.c.status.type),
        _table.c.deleted_at.is_(None),
    )
)


def _work(ascending: bool, of_author: bool, after: bool) -> CompiledStatement:
    query = _AT_WORK
    if of_author:
        query = query.where(_table.c.author_id == sa.bindparam("author_id", type_=sa.Uuid))
    return CompiledStatement(keyset(query, _table.c.created_at, _table.c.id, ascending=ascending, after=after))


_WORK = {
    (ascending, of_author, after): _work(ascending, of_author, after)
    for ascending in (False, True)
    for of_author in (False, True)
    for after in (False, True)
}


class LateEntryRepository(Repository[LateEntry]):
    entity = LateEntry
    filters = ("incident_id", "status")

    async def find_by_entry(self, tenant_id: TenantId, entity_id: uuid.UUID) -> LateEntry | None:
        """The late entry that has, or will have, this id in the chart."""
        row = await self.uow.fetch_row(_BY_ENTRY, {"tenant_id": tenant_id, "entity_id": entity_id})
        return None if row is None else self._built((row,))[0]

    async def has_pending(self, tenant_id: TenantId, incident_id: uuid.UUID) -> bool:
        """True if an entry of the chart waits for a decision."""
        return await self.uow.fetch_row(_PENDING, {"tenant_id": tenant_id, "incident_id": incident_id}) is not None

    async def list_work(
        self, tenant_id: TenantId, paging: Paging, *, status: LateEntryStatus, author_id: uuid.UUID | None
    ) -> Page[LateEntry]:
        """A page of the late entries of all charts that are not deleted."""
        values = {"tenant_id": tenant_id, "status": status, **paging.values()}
        if author_id is not None:
            values["author_id"] = author_id
        shape = paging.ascending, author_id is not None, paging.cursor is not None
        shown, next_cursor = paging.split(await self.uow.fetch(_WORK[shape], values))
        return Page[Any].model_construct(items=self._built(shown), next_cursor=next_cursor)
