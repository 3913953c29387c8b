"""The base of every repository: scoped by tenant and by not-deleted, explicit about everything else."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, cast

import sqlalchemy as sa

from app.core.db.entity import E
from app.core.db.plan import EntityPlan, plan_of
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.errors import Conflict, NotFound
from app.core.ids import TenantId
from app.core.pagination import Page, decode_cursor, encode_cursor

_STATEMENTS: dict[tuple[Any, ...], CompiledStatement] = {}


class Repository(Generic[E]):
    """A subclass names its `entity`, and its list filters: {name: column} compared by equality."""

    entity: type[E]
    filters: tuple[str, ...] = ()

    def __init__(self, uow: ReadUnitOfWork) -> None:
        self.uow = uow
        self.plan: EntityPlan[E] = plan_of(self.entity)

    async def find(self, tenant_id: TenantId, entity_id: uuid.UUID) -> E | None:
        return await self._one(self.plan.by_id, tenant_id, entity_id)

    async def get(self, tenant_id: TenantId, entity_id: uuid.UUID) -> E:
        """Raises NotFound for a missing, deleted or foreign row alike."""
        return _found(await self.find(tenant_id, entity_id))

    async def get_for_update(self, tenant_id: TenantId, entity_id: uuid.UUID) -> E:
        """Locks the row until the end of the unit of work: transitions."""
        return _found(await self._one(self._locking(read=False), tenant_id, entity_id))

    async def find_for_update(self, tenant_id: TenantId, entity_id: uuid.UUID) -> E | None:
        return await self._one(self._locking(read=False), tenant_id, entity_id)

    async def get_for_share(self, tenant_id: TenantId, entity_id: uuid.UUID) -> E:
        """Keeps the row from changing until the end of the unit of work: writes of its children."""
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

    async def list_page(
        self, tenant_id: TenantId, *, limit: int, cursor: str | None, ascending: bool = False, **filters: Any
    ) -> Page[E]:
        """Live rows, newest first unless `ascending`; filters that are None do not apply."""
        return await self._page(tenant_id, limit, cursor, ascending, filters, including_deleted=False)

    async def list_including_deleted(
        self, tenant_id: TenantId, *, limit: int, cursor: str | None, ascending: bool = False, **filters: Any
    ) -> Page[E]:
        """As list_page, with soft-deleted rows."""
        return await self._page(tenant_id, limit, cursor, ascending, filters, including_deleted=True)

    async def list_all(self, tenant_id: TenantId, **filters: Any) -> list[E]:
        """Every live row that matches, oldest first: for the bounded children of one parent."""
        statement = self._list_statement(tuple(sorted(filters)), ascending=True, including_deleted=False, paged=False)
        return self._built(await self.uow.fetch(statement, {**filters, "tenant_id": tenant_id}))

    def _built(self, rows: Iterable[Any]) -> list[E]:
        """Entities from rows of all columns; what they hold of charts is noted for the access log."""
        plan = self.plan
        entities = [plan.build(row) for row in rows]
        if plan.holds_phi:
            for entity in entities:
                self.uow.note_phi(plan.entity_type, None if plan.chart is None else entity.__dict__[plan.chart])
        return entities

    async def _page(
        self,
        tenant_id: TenantId,
        limit: int,
        cursor: str | None,
        ascending: bool,
        filters: Mapping[str, Any],
        *,
        including_deleted: bool,
    ) -> Page[E]:
        values = {name: value for name, value in filters.items() if value is not None}
        shape = tuple(sorted(values))
        if cursor is not None:
            values["after_at"], values["after_id"] = decode_cursor(cursor)
            shape = (*shape, "after")
        values["tenant_id"], values["limit"] = tenant_id, limit + 1
        statement = self._list_statement(shape, ascending=ascending, including_deleted=including_deleted, paged=True)
        rows = await self.uow.fetch(statement, values)
        items = self._built(rows[:limit])
        more = len(rows) > limit
        return Page[Any].model_construct(
            items=items, next_cursor=encode_cursor(items[-1].created_at, items[-1].id) if more else None
        )

    def _list_statement(
        self, shape: tuple[str, ...], *, ascending: bool, including_deleted: bool, paged: bool
    ) -> CompiledStatement:
        key = (self.entity, "list", shape, ascending, including_deleted, paged)
        return _compiled(key, lambda: self._list_query(shape, ascending, including_deleted, paged))

    def _list_query(
        self, shape: tuple[str, ...], ascending: bool, including_deleted: bool, paged: bool
    ) -> sa.Select[Any]:
        table = self.plan.table
        where = [table.c.tenant_id == sa.bindparam("tenant_id", type_=table.c.tenant_id.type)]
        if not including_deleted:
            where.append(table.c.deleted_at.is_(None))
        where += [self._condition(name, ascending) for name in shape]
        order = [table.c.created_at, table.c.id]
        query = sa.select(*table.c).where(*where).order_by(*(order if ascending else [key.desc() for key in order]))
        return query.limit(sa.bindparam("limit", type_=sa.Integer)) if paged else query

    def _condition(self, name: str, ascending: bool) -> sa.ColumnElement[bool]:
        table = self.plan.table
        if name == "after":
            key = sa.tuple_(table.c.created_at, table.c.id)
            at = sa.tuple_(
                sa.bindparam("after_at", type_=table.c.created_at.type),
                sa.bindparam("after_id", type_=table.c.id.type),
            )
            return key > at if ascending else key < at
        if name not in self.filters:
            raise TypeError(f"{type(self).__name__} has no filter {name}")
        column = table.c[name]
        return cast("sa.ColumnElement[bool]", column == sa.bindparam(name, type_=column.type))

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
