"""Queries over chart_revisions, and over the audit events of revisions."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, distinct_on

from app.core.audit.models import AuditEvent
from app.core.db.revisions import ChartRevision, decimals_of, with_decimals
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.ids import TenantId, least_id_at
from app.core.pagination import Paging, keyset
from app.ems.content.repository import ContentRepository, Revision
from app.ems.parts import INCIDENT, SIGNATURE

_revisions: Any = ChartRevision.__table__
_audit: Any = AuditEvent.__table__
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)
_INCIDENT = sa.bindparam("incident_id", type_=sa.Uuid)
_IDS = sa.bindparam("ids", type_=ARRAY(sa.Uuid()))
_LAST = (
    sa.select(_revisions.c.entity, _revisions.c.snapshot)
    .ext(distinct_on(_revisions.c.entity_id))
    .where(
        _revisions.c.tenant_id == _TENANT,
        _revisions.c.incident_id == _INCIDENT,
        _revisions.c.created_at <= sa.bindparam("moment", type_=_revisions.c.created_at.type),
    )
    .order_by(_revisions.c.entity_id, _revisions.c.version.desc())
    .subquery()
)
_AS_OF = CompiledStatement(
    sa.select(_LAST.c.entity, _LAST.c.snapshot, decimals_of(_LAST.c.snapshot)).where(
        _LAST.c.snapshot["deleted_at"].astext.is_(None)
    )
)
_LATEST = (
    sa.select(*_revisions.c)
    .ext(distinct_on(_revisions.c.entity_id))
    .where(
        _revisions.c.tenant_id == _TENANT,
        _revisions.c.incident_id == _INCIDENT,
        _revisions.c.entity != INCIDENT.entity_type,
    )
    .order_by(_revisions.c.entity_id, _revisions.c.version.desc())
    .subquery()
)
_DELETED = sa.select(*_LATEST.c, decimals_of(_LATEST.c.snapshot).label("decimals")).where(
    _LATEST.c.snapshot["deleted_at"].astext.is_not(None)
)
_covered = (
    sa.func.jsonb_array_elements(_revisions.c.snapshot["covered_json"])
    .table_valued(sa.column("item", JSONB), name="covered")
    .render_derived()
)
_SIGNATURES = CompiledStatement(
    sa.select(
        _revisions.c.entity_id,
        _revisions.c.created_at,
        *(
            _revisions.c.snapshot[name].astext.label(name)
            for name in ("statement_code", "signer_role", "patient_id", "status", "deleted_at")
        ),
        sa.select(sa.func.jsonb_agg(_covered.c.item))
        .where(_covered.c.item["id"].astext.cast(sa.Uuid) == sa.any_(_IDS))
        .scalar_subquery()
        .label("covered"),
    )
    .where(
        _revisions.c.tenant_id == _TENANT,
        _revisions.c.incident_id == _INCIDENT,
        _revisions.c.entity == SIGNATURE.entity_type,
    )
    .order_by(_revisions.c.entity_id, _revisions.c.version)
)
_VERSIONS = sa.select(
    _revisions.c.id, _revisions.c.entity, _revisions.c.entity_id, _revisions.c.version, _revisions.c.created_at
).where(_revisions.c.tenant_id == _TENANT, _revisions.c.incident_id == _INCIDENT)
_AUDITED = CompiledStatement(
    sa.select(*_audit.c).where(
        _audit.c.tenant_id == _TENANT,
        _audit.c.entity_id == sa.any_(_IDS),
        _audit.c.created_at == sa.any_(sa.bindparam("moments", type_=ARRAY(_audit.c.created_at.type))),
        _audit.c.id.between(sa.bindparam("lowest", type_=sa.Uuid), sa.bindparam("highest", type_=sa.Uuid)),
    )
)
_GRACE = dt.timedelta(days=1)


def _version_statement(ascending: bool, of_entity: bool, after: bool) -> CompiledStatement:
    query = _VERSIONS
    if of_entity:
        query = query.where(_revisions.c.entity_id == sa.any_(_IDS))
    return CompiledStatement(keyset(query, _revisions.c.created_at, _revisions.c.id, ascending=ascending, after=after))


_VERSION_PAGES = {
    (ascending, of_entity, after): _version_statement(ascending, of_entity, after)
    for ascending in (False, True)
    for of_entity in (False, True)
    for after in (False, True)
}


_DELETED_PAGES = {
    (ascending, after): CompiledStatement(
        keyset(_DELETED, _LATEST.c.created_at, _LATEST.c.id, ascending=ascending, after=after)
    )
    for ascending in (False, True)
    for after in (False, True)
}


class RevisionRepository:
    """Reads snapshots. They are as much of a chart as its rows, so every read is noted for the access log."""

    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def list_as_of(
        self, tenant_id: TenantId, incident_id: uuid.UUID, moment: dt.datetime
    ) -> list[tuple[str, dict[str, Any]]]:
        """Everything that stood in the chart at `moment`, as (entity, snapshot). The incident is included."""
        values = {"tenant_id": tenant_id, "incident_id": incident_id, "moment": moment}
        rows = await self._uow.fetch(_AS_OF, values)
        for entity in {row[0] for row in rows}:
            self._uow.note_phi(entity, incident_id)
        return [(row[0], with_decimals(row[1], row[2])) for row in rows]

    async def list_versions(
        self,
        tenant_id: TenantId,
        incident_id: uuid.UUID,
        paging: Paging,
        *,
        entity_id: Sequence[uuid.UUID] | None,
    ) -> list[Any]:
        """The revisions of one page and, if there is one, of the next: id, entity, entity_id, version, created_at."""
        values: dict[str, Any] = {"tenant_id": tenant_id, "incident_id": incident_id, **paging.values()}
        if entity_id is not None:
            values["ids"] = list(entity_id)
        shape = paging.ascending, entity_id is not None, paging.cursor is not None
        return await self._uow.fetch(_VERSION_PAGES[shape], values)

    async def list_deleted(
        self, tenant_id: TenantId, incident_id: uuid.UUID, paging: Paging
    ) -> tuple[Sequence[Any], str | None]:
        """The revisions by which the entries of a page were deleted, and the page's `next_cursor`."""
        values = {"tenant_id": tenant_id, "incident_id": incident_id, **paging.values()}
        rows = await self._uow.fetch(_DELETED_PAGES[paging.ascending, paging.cursor is not None], values)
        shown, next_cursor = paging.split(rows)
        for entity in {row["entity"] for row in shown}:
            self._uow.note_phi(entity, incident_id)
        return shown, next_cursor

    async def get_snapshots(
        self, tenant_id: TenantId, incident_id: uuid.UUID, wanted: Sequence[Revision]
    ) -> dict[Revision, dict[str, Any]]:
        """Rows of the chart as they stood at the (entity id, version) pairs asked for."""
        found = await ContentRepository(self._uow).get_snapshots(tenant_id, incident_id, wanted)
        for entity in {entry.entity for entry in found}:
            self._uow.note_phi(entity, incident_id)
        return {(entry.id, entry.version): snapshot for entry, snapshot in found.items()}

    async def list_signature_states(
        self, tenant_id: TenantId, incident_id: uuid.UUID, entity_ids: Sequence[uuid.UUID]
    ) -> list[Any]:
        """Every version of every signature of the chart, signature by signature, the oldest version first.

        A row tells since when the signature stood in which state. `covered` is what it covers of the given entries,
        None for nothing. All that it covers could be as large as the chart.
        """
        values = {"tenant_id": tenant_id, "incident_id": incident_id, "ids": list(entity_ids)}
        rows = await self._uow.fetch(_SIGNATURES, values)
        if rows:
            self._uow.note_phi(SIGNATURE.entity_type, incident_id)
        return rows

    async def list_audited(self, tenant_id: TenantId, revisions: Sequence[Any]) -> dict[tuple[uuid.UUID, Any], Any]:
        """The audit event of each revision, by (entity id, created_at).

        One statement wrote both records, so both have the time of its transaction. The bounds on the time-ordered id
        keep the query out of the log's other months. They have a day of grace for clocks that differ.
        """
        if not revisions:
            return {}
        moments = [row["created_at"] for row in revisions]
        values = {
            "tenant_id": tenant_id,
            "ids": list({row["entity_id"] for row in revisions}),
            "moments": list(set(moments)),
            "lowest": least_id_at(min(moments) - _GRACE),
            "highest": least_id_at(max(moments) + _GRACE),
        }
        rows = await self._uow.fetch(_AUDITED, values)
        return {(row["entity_id"], row["created_at"]): row for row in rows}
