"""The base of every repository. It always filters by tenant and by not-deleted; every other filter is explicit."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic

import sqlalchemy as sa

from app.core.db.entity import E
from app.core.db.plan import EntityPlan, plan_of
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.errors import Conflict, NotFound
from app.core.filters import Shape, bound, chosen, column_of_bound, condition, shape_of
from app.core.ids import TenantId
from app.core.pagination import Page, Paging, keyset, sort_key

_STATEMENTS: dict[tuple[Any, ...], CompiledStatement] = {}


class Repository(Generic[E]):
    """A subclass names its `entity`, and what its lists can be asked for.

    `filters` are columns that are compared for equality. `ranges` are columns of times with the filters `<column>_from`
    and `<column>_to`. `sorts` are columns of times by which pages can be sorted, beside `created_at`.
    """

    entity: type[E]
    filters: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    sorts: tuple[str, ...] = ()

    def __init__(self, uow: ReadUnitOfWork) -> None:
        self.uow = uow
        self.plan: EntityPlan[E] = plan_of(self.entity)

    async def find(self, tenant_id: TenantId, entity_id: uuid.UUID) -> E | None:
        return await self._one(self.plan.by_id, tenant_id, entity_id)

    async def get(self, tenant_id: TenantId, entity_id: uuid.UUID) -> E:
        """Raises NotFound for a missing or deleted row, and for a row of another tenant."""
        return _found(await self.find(tenant_id, entity_id))

    async def get_for_update(self, tenant_id: TenantId, entity_id: uuid.UUID) -> E:
        """Locks the row until the end of the unit of work. Transitions use it."""
        return _found(await self._one(self._locking(read=False), tenant_id, entity_id))

    async def find_for_update(self, tenant_id: TenantId, entity_id: uuid.UUID) -> E | None:
        return await self._one(self._locking(read=False), tenant_id, entity_id)

    async def get_for_share(self, tenant_id: TenantId, entity_id: uuid.UUID) -> E:
        """Keeps the row from changing until the end of the unit of work. Writes of its children use it."""
        return _found(await self._one(self._locking(read=True), tenant_id, entity_id))

    async def find_for_share(self, tenant_id: TenantId, entity_id: uuid.UUID) -> E | None:
        return await self._one(self._locking(read=True), tenant_id, entity_id)

    async def get_including_deleted(self, tenant_id: TenantId, entity_id: uuid.UUID) -> E:
        key = (self.entity, "including deleted")
        return _found(
            await self._one(
                _compiled(key, lambda: self.plan.select_by_id(including_deleted=True)), tenant_id, entity_id
            )
        )

    async def list_page(self, tenant_id: TenantId, paging: Paging, **filters: Any) -> Page[E]:
        """A page of rows that are not deleted. A list of values means one of them, None that a filter does not apply.

        Raises ValidationFailed (cursor).
        """
        return await self._page(tenant_id, paging, filters, including_deleted=False)

    async def list_including_deleted(self, tenant_id: TenantId, paging: Paging, **filters: Any) -> Page[E]:
        """As list_page, with soft-deleted rows."""
        return await self._page(tenant_id, paging, filters, including_deleted=True)

    async def list_all(self, tenant_id: TenantId, **filters: Any) -> list[E]:
        """All matching rows that are not deleted, oldest first. Use it for the bounded children of one parent."""
        shape = shape_of(filters)
        statement = _compiled((type(self), self.entity, "all", shape), lambda: self._all_query(shape))
        return self._built(await self.uow.fetch(statement, {**filters, "tenant_id": tenant_id}))

    def _built(self, rows: Iterable[Any]) -> list[E]:
        """Entities from rows of all columns. Their charts are noted for the access log."""
        plan = self.plan
        entities = [plan.build(row) for row in rows]
        if plan.holds_phi:
            for entity in entities:
                self.uow.note_phi(plan.entity_type, None if plan.chart is None else entity.__dict__[plan.chart])
        return entities

    async def _page(
        self, tenant_id: TenantId, paging: Paging, filters: Mapping[str, Any], *, including_deleted: bool
    ) -> Page[E]:
        given, column = chosen(filters), paging.sorted_by
        shape, after = shape_of(given), paging.cursor is not None
        statement = _compiled(
            (type(self), self.entity, "page", shape, column, paging.ascending, after, including_deleted),
            lambda: keyset(
                self._selected(shape, including_deleted=including_deleted),
                self._sort_key(column),
                self.plan.table.c.id,
                ascending=paging.ascending,
                after=after,
            ),
        )
        rows = await self.uow.fetch(statement, {**given, **paging.values(), "tenant_id": tenant_id})
        shown, next_cursor = paging.split(rows)
        return Page[Any].model_construct(items=self._built(shown), next_cursor=next_cursor)

    def _all_query(self, shape: Shape) -> sa.Select[Any]:
        table = self.plan.table
        return self._selected(shape, including_deleted=False).order_by(table.c.created_at, table.c.id)

    def _selected(self, shape: Shape, *, including_deleted: bool) -> sa.Select[Any]:
        """Rows of the tenant that match the filters named in `shape`."""
        table = self.plan.table
        where = [table.c.tenant_id == sa.bindparam("tenant_id", type_=table.c.tenant_id.type)]
        if not including_deleted:
            where.append(table.c.deleted_at.is_(None))
        return sa.select(*table.c).where(*where, *(self._condition(name, several) for name, several in shape))

    def _condition(self, name: str, several: bool) -> sa.ColumnElement[bool]:
        table = self.plan.table
        found = condition(table, name, several=several, filters=self.filters, ranges=self.ranges)
        if found is None:
            raise TypeError(f"{type(self).__name__} has no filter {name}")
        column = column_of_bound(name)
        if column is None or column not in self.sorts:
            return found
        # A time that lies within a bound is its own sort key: so the index of the order serves the range, too.
        return sa.and_(found, bound(self._sort_key(column), name))

    def _sort_key(self, column: str) -> sa.ColumnElement[Any]:
        if column not in ("created_at", *self.sorts):
            raise TypeError(f"{type(self).__name__} is not sorted by {column}")
        return sort_key(self.plan.table, column)

    async def _one(self, statement: CompiledStatement, tenant_id: TenantId, entity_id: uuid.UUID) -> E | None:
        row = await self.uow.fetch_row(statement, {"tenant_id": tenant_id, "id": entity_id})
        return None if row is None else self._built((row,))[0]

    def _locking(self, *, read: bool) -> CompiledStatement:
        key = (self.entity, "share" if read else "update")
        return _compiled(key, lambda: self.plan.select_by_id().with_for_update(read=read))


def _found(entity: E | None) -> E:
    if entity is None:
        raise NotFound
    return entity


def _compiled(key: tuple[Any, ...], make: Callable[[], sa.Select[Any]]) -> CompiledStatement:
    statement = _STATEMENTS.get(key)
    if statement is None:
        statement = _STATEMENTS[key] = CompiledStatement(make())
    return statement


def require_version(entity: Any, version: int) -> None:
    """Optimistic concurrency (directive 1.6). Raises Conflict with the server's version and time."""
    if entity.version != version:
        raise Conflict.stale(entity.version, entity.updated_at)
