"""Queries for the content of a chart: the version of each entry, and rows as they stood at a version."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.core.db.revisions import ChartRevision, decimals_of, with_decimals
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.ids import TenantId
from app.ems.parts import CHARTED_ENTRIES, PATIENT, ChartPart

_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid())
_INCIDENT = sa.bindparam("incident_id", type_=sa.Uuid())
_INCIDENTS = sa.bindparam("incident_ids", type_=ARRAY(sa.Uuid()))
_NOBODY = sa.cast(sa.null(), sa.Uuid())


class EntryVersion(NamedTuple):
    """An entry at a version. `patient_id` is whom it is about (for a patient, their own id); None: the whole call."""

    entity: str
    id: uuid.UUID
    version: int
    patient_id: uuid.UUID | None

    @classmethod
    def of(cls, entity: str, entry_id: uuid.UUID, version: int, snapshot: Mapping[str, Any]) -> EntryVersion:
        about = snapshot["id"] if entity == PATIENT.entity_type else snapshot.get("patient_id")
        return cls(entity, entry_id, version, None if about is None else uuid.UUID(about))


def _versions_of(part: ChartPart[Any, Any]) -> sa.Select[Any]:
    table: Any = part.entity.__table__
    about = table.c.id if part is PATIENT else table.c.patient_id if part.names_patient else _NOBODY
    return sa.select(sa.literal(part.entity_type, sa.Text), table.c.id, table.c.version, about).where(
        table.c.tenant_id == _TENANT, table.c.deleted_at.is_(None)
    )


def _of_one(part: ChartPart[Any, Any]) -> sa.Select[Any]:
    return _versions_of(part).where(part.entity.__table__.c.incident_id == _INCIDENT)


def _of_many(part: ChartPart[Any, Any]) -> sa.Select[Any]:
    incident_id = part.entity.__table__.c.incident_id
    return _versions_of(part).add_columns(incident_id).where(incident_id == sa.any_(_INCIDENTS))


_VERSIONS = CompiledStatement(sa.union_all(*map(_of_one, CHARTED_ENTRIES)))
_VERSIONS_OF_MANY = CompiledStatement(sa.union_all(*map(_of_many, CHARTED_ENTRIES)))
_revisions: Any = ChartRevision.__table__
_wanted = (
    sa.func.unnest(sa.bindparam("ids", type_=ARRAY(sa.Uuid())), sa.bindparam("versions", type_=ARRAY(sa.Integer())))
    .table_valued(sa.column("entity_id", sa.Uuid), sa.column("version", sa.Integer), name="wanted")
    .render_derived()
)


def _snapshots(of_these: sa.ColumnElement[bool]) -> CompiledStatement:
    return CompiledStatement(
        sa.select(
            _revisions.c.entity,
            _revisions.c.entity_id,
            _revisions.c.version,
            _revisions.c.snapshot,
            decimals_of(_revisions.c.snapshot),
        ).join_from(
            _wanted,
            _revisions,
            sa.and_(
                _revisions.c.tenant_id == _TENANT,
                of_these,
                _revisions.c.entity_id == _wanted.c.entity_id,
                _revisions.c.version == _wanted.c.version,
            ),
        )
    )


_SNAPSHOTS = _snapshots(_revisions.c.incident_id == _INCIDENT)
_SNAPSHOTS_OF_MANY = _snapshots(_revisions.c.incident_id == sa.any_(_INCIDENTS))

Revision = tuple[uuid.UUID, int]


class ContentRepository:
    """A chart's entries by version, and their content as it stood at a version."""

    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def list_versions(self, tenant_id: TenantId, incident_id: uuid.UUID) -> list[EntryVersion]:
        """Every live entry of the chart but the incident itself."""
        rows = await self._uow.fetch(_VERSIONS, {"tenant_id": tenant_id, "incident_id": incident_id})
        return [EntryVersion(*row) for row in rows]

    async def list_versions_of_many(
        self, tenant_id: TenantId, incident_ids: Sequence[uuid.UUID]
    ) -> dict[uuid.UUID, list[EntryVersion]]:
        """The same as `list_versions` for each of several charts, in one statement."""
        found: dict[uuid.UUID, list[EntryVersion]] = {incident_id: [] for incident_id in incident_ids}
        values = {"tenant_id": tenant_id, "incident_ids": list(incident_ids)}
        for *version, incident_id in await self._uow.fetch(_VERSIONS_OF_MANY, values):
            found[incident_id].append(EntryVersion(*version))
        return found

    async def get_snapshots(
        self, tenant_id: TenantId, incident_id: uuid.UUID, wanted: Sequence[Revision]
    ) -> dict[EntryVersion, dict[str, Any]]:
        """Rows of the chart as they stood at the versions asked for. An empty `wanted` costs no statement."""
        return await self._snapshots(_SNAPSHOTS, wanted, {"tenant_id": tenant_id, "incident_id": incident_id})

    async def get_snapshots_of_many(
        self, tenant_id: TenantId, incident_ids: Sequence[uuid.UUID], wanted: Sequence[Revision]
    ) -> dict[EntryVersion, dict[str, Any]]:
        """The same as `get_snapshots` for several charts."""
        values = {"tenant_id": tenant_id, "incident_ids": list(incident_ids)}
        return await self._snapshots(_SNAPSHOTS_OF_MANY, wanted, values)

    async def _snapshots(
        self, statement: CompiledStatement, wanted: Sequence[Revision], values: dict[str, Any]
    ) -> dict[EntryVersion, dict[str, Any]]:
        if not wanted:
            return {}
        ids, versions = zip(*wanted, strict=True)
        rows = await self._uow.fetch(statement, {**values, "ids": list(ids), "versions": list(versions)})
        return {EntryVersion.of(*row[:4]): with_decimals(row[3], row[4]) for row in rows}
