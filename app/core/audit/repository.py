"""Queries of the two logs. They filter by id, which carries the time, so only the requested months are opened."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

import sqlalchemy as sa

from app.core.audit.models import AccessEntry, AuditEvent
from app.core.db.revisions import ChartRevision
from app.core.db.sql import CompiledStatement, decoders
from app.core.db.uow import ReadUnitOfWork
from app.core.filters import Shape, chosen, equal, shape_of
from app.core.ids import TenantId, least_id_at

# An id is made before the row of its transaction, and with the clock of another machine.
_SLACK = dt.timedelta(hours=1)
_revisions: Any = ChartRevision.__table__
_CHART = sa.bindparam("incident_id", type_=sa.Uuid)
_ENTRIES = (
    sa.select(_revisions.c.entity_id)
    .where(
        _revisions.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        _revisions.c.incident_id == _CHART,
    )
    .union(sa.select(_CHART))
    .subquery("entries")
)
_STATEMENTS: dict[tuple[Any, ...], CompiledStatement] = {}


class LogRepository:
    """A subclass names its `table` and the columns that it can be filtered by."""

    table: ClassVar[Any]
    filters: ClassVar[tuple[str, ...]]

    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def list_page(
        self,
        tenant_id: TenantId,
        *,
        limit: int,
        after: uuid.UUID | None = None,
        ascending: bool = False,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        **filters: Any,
    ) -> list[dict[str, Any]]:
        """At most `limit` rows beyond `after`, newest first unless `ascending`.

        A list of values means one of them, None that a filter does not apply.
        """
        values = chosen(filters)
        shape = shape_of(values)
        if after is not None:
            values["after"] = after
        if since is not None:
            values |= {"since": since, "since_id": least_id_at(since - _SLACK)}
        if until is not None:
            values |= {"until": until, "until_id": least_id_at(until + _SLACK)}
        bounds = tuple(name for name in ("after", "since", "until") if name in values)
        key = (type(self), shape, bounds, ascending)
        statement = _STATEMENTS.get(key)
        if statement is None:
            statement = _STATEMENTS[key] = CompiledStatement(self._query(shape, bounds, ascending=ascending))
        rows = await self._uow.fetch(statement, {**values, "tenant_id": tenant_id, "limit": limit})
        return [self._decoded(row) for row in rows]

    def _query(self, shape: Shape, bounds: tuple[str, ...], *, ascending: bool) -> sa.Select[Any]:
        table = self.table
        where = [table.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid)]
        where += [self._condition(name, several=several) for name, several in shape]
        for bound in bounds:
            where += _bounds(table, bound, ascending=ascending)
        order = table.c.id if ascending else table.c.id.desc()
        return sa.select(*table.c).where(*where).order_by(order).limit(sa.bindparam("limit", type_=sa.Integer))

    def _condition(self, name: str, *, several: bool) -> sa.ColumnElement[bool]:
        if name not in self.filters:
            raise TypeError(f"{type(self).__name__} has no filter {name}")
        return equal(self.table.c[name], name, several=several)

    def _decoded(self, row: Any) -> dict[str, Any]:
        values = dict(row.items())
        for key, decode in decoders(list(self.table.c)):
            values[key] = decode(values[key])
        return values


class AuditEventRepository(LogRepository):
    table = AuditEvent.__table__
    filters = ("entity_type", "entity_id", "actor_user_id", "action")

    def _query(self, shape: Shape, bounds: tuple[str, ...], *, ascending: bool) -> sa.Select[Any]:
        """With the filter `incident_id`: of each entry of the chart its own page, then the page of all of them.

        An event does not name its chart: the revisions know a chart's entries, so an autosave writes nothing for this.
        LATERAL with a LIMIT makes the planner go from entry to entry. A join would let it search the whole log.
        """
        others = tuple((name, several) for name, several in shape if name != "incident_id")
        if others == shape:
            return super()._query(shape, bounds, ascending=ascending)
        of_entry = super()._query(others, bounds, ascending=ascending)
        each = of_entry.where(self.table.c.entity_id == _ENTRIES.c.entity_id).lateral("each")
        order = each.c.id if ascending else each.c.id.desc()
        pages = sa.select(*each.c).select_from(_ENTRIES.join(each, sa.true()))
        return pages.order_by(order).limit(sa.bindparam("limit", type_=sa.Integer))


class AccessEntryRepository(LogRepository):
    table = AccessEntry.__table__
    filters = ("incident_id", "actor_user_id")

    def _condition(self, name: str, *, several: bool) -> sa.ColumnElement[bool]:
        """The condition of one filter. A chart was shown alone or among others."""
        if name != "incident_id":
            return super()._condition(name, several=several)
        table, chart = self.table, sa.bindparam("incident_id", type_=sa.Uuid)
        among = sa.and_(table.c.incident_ids.isnot(None), chart == sa.any_(table.c.incident_ids))
        return sa.or_(table.c.incident_id == chart, among)


def _bounds(table: Any, bound: str, *, ascending: bool) -> list[sa.ColumnElement[bool]]:
    if bound == "after":
        after = sa.bindparam("after", type_=sa.Uuid)
        return [table.c.id > after if ascending else table.c.id < after]
    at = sa.bindparam(bound, type_=table.c.created_at.type)
    near = sa.bindparam(f"{bound}_id", type_=sa.Uuid)
    if bound == "since":
        return [table.c.created_at >= at, table.c.id >= near]
    return [table.c.created_at < at, table.c.id < near]
