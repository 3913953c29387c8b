"""Queries for citations: rows at the cited versions, and what has become of them since."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.core.db.revisions import ChartRevision, decimals_of, with_decimals
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.errors import NotFound
from app.core.ids import TenantId
from app.ems.content.repository import Revision
from app.ems.incidents.models import Incident

_revisions: Any = ChartRevision.__table__
_incidents: Any = Incident.__table__
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid())
_INCIDENT = sa.bindparam("incident_id", type_=sa.Uuid())
_wanted = (
    sa.func.unnest(sa.bindparam("ids", type_=ARRAY(sa.Uuid())), sa.bindparam("versions", type_=ARRAY(sa.Integer())))
    .table_valued(sa.column("entity_id", sa.Uuid), sa.column("version", sa.Integer), name="wanted")
    .render_derived()
)
_cited, _latest = _revisions.alias("cited"), _revisions.alias("latest")
_LIVES = sa.exists().where(
    _incidents.c.tenant_id == _TENANT, _incidents.c.id == _INCIDENT, _incidents.c.deleted_at.is_(None)
)


def _statement(*, with_current: bool) -> CompiledStatement:
    """The query, with the latest rows or without. Of a row of another chart it reads no content."""
    here = _latest.c.incident_id == _INCIDENT
    standing = (
        sa.select(
            _latest.c.entity,
            _latest.c.incident_id,
            _latest.c.version,
            _latest.c.snapshot["deleted_at"].astext.isnot(None).label("is_deleted"),
            (sa.case((here, _latest.c.snapshot)) if with_current else sa.cast(sa.null(), JSONB)).label("snapshot"),
        )
        .where(_latest.c.tenant_id == _TENANT, _latest.c.entity_id == _wanted.c.entity_id)
        .order_by(_latest.c.version.desc())
        .limit(sa.literal_column("1"))
        .lateral("standing")
    )
    cited = sa.and_(
        _cited.c.tenant_id == _TENANT,
        _cited.c.incident_id == _INCIDENT,
        _cited.c.entity_id == _wanted.c.entity_id,
        _cited.c.version == _wanted.c.version,
    )
    return CompiledStatement(
        sa.select(
            _wanted.c.entity_id,
            _wanted.c.version,
            _cited.c.snapshot,
            standing.c.entity,
            standing.c.incident_id,
            standing.c.version.label("current_version"),
            standing.c.is_deleted,
            standing.c.snapshot.label("current"),
            decimals_of(_cited.c.snapshot).label("decimals"),
            decimals_of(standing.c.snapshot).label("current_decimals"),
            _LIVES.label("lives"),
        ).select_from(_wanted.outerjoin(_cited, cited).outerjoin(standing, sa.true()))
    )


_STATEMENTS = {with_current: _statement(with_current=with_current) for with_current in (False, True)}


class CitedRow(NamedTuple):
    """One cited version of an entry, and the entry's latest version.

    `snapshot` is the row at the cited version; None where the chart has none. `current` is the latest row, where it was
    asked for. `entity` and `incident_id` are None for an id that the agency does not know.
    """

    snapshot: Mapping[str, Any] | None
    entity: str | None
    incident_id: uuid.UUID | None
    current_version: int | None
    is_deleted: bool | None
    current: dict[str, Any] | None


class CitationRepository:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def get_rows(
        self, tenant_id: TenantId, incident_id: uuid.UUID, wanted: Collection[Revision], *, with_current: bool
    ) -> dict[Revision, CitedRow]:
        """A row for each (entity id, version) of `wanted`, in one statement. `wanted` is not empty.

        The kinds of entries whose content is read are noted for the access log. Raises NotFound for an incident that
        does not exist or is deleted.
        """
        ids, versions = zip(*wanted, strict=True)
        values = {"tenant_id": tenant_id, "incident_id": incident_id, "ids": list(ids), "versions": list(versions)}
        rows = await self._uow.fetch(_STATEMENTS[with_current], values)
        if not rows[0]["lives"]:
            raise NotFound
        for entity in {row["entity"] for row in rows if row["snapshot"] is not None or row["current"] is not None}:
            self._uow.note_phi(entity, incident_id)
        return {(row[0], row[1]): _cited_row(row) for row in rows}


def _cited_row(row: Any) -> CitedRow:
    """Numbers as they were charted, with their zeros."""
    snapshot = None if row["snapshot"] is None else with_decimals(row["snapshot"], row["decimals"])
    current = None if row["current"] is None else with_decimals(row["current"], row["current_decimals"])
    return CitedRow(snapshot, row["entity"], row["incident_id"], row["current_version"], row["is_deleted"], current)
