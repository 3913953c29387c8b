"""Queries for exports. The rows of one export become one answer."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from app.billing.claims.models import Claim
from app.billing.exports.models import ClaimExport, ClaimFileFormat, Export
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.ids import TenantId, new_id
from app.core.pagination import Page, Paging, keyset

_table: Any = ClaimExport.__table__
_COLUMNS = ("id", "tenant_id", "export_id", "claim_id", "artifact_key", "format", "control_number")
_INSERT = CompiledStatement(
    sa.insert(_table).values({name: sa.bindparam(name, type_=_table.c[name].type) for name in _COLUMNS})
)
_NEXT_CONTROL_NUMBER = CompiledStatement(sa.select(sa.Sequence("interchange_control_numbers").next_value()))
_FILE = (_table.c.export_id, _table.c.format, _table.c.control_number, _table.c.artifact_key, _table.c.created_at)
_EXPORTS = (
    sa.select(*_FILE, sa.func.array_agg(aggregate_order_by(_table.c.claim_id, _table.c.id)).label("claim_ids"))
    .where(_table.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid))
    .group_by(*_FILE)
)
_ONE = CompiledStatement(_EXPORTS.where(_table.c.export_id == sa.bindparam("export_id", type_=sa.Uuid)))

_LAST_EXPORTED = CompiledStatement(
    sa.select(_table.c.claim_id, sa.func.max(_table.c.created_at))
    .where(
        _table.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        _table.c.claim_id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Uuid()))),
    )
    .group_by(_table.c.claim_id)
)

_claims: Any = Claim.__table__
_INCIDENTS = CompiledStatement(
    sa.select(_claims.c.incident_id)
    .distinct()
    .join(_table, sa.and_(_table.c.tenant_id == _claims.c.tenant_id, _table.c.claim_id == _claims.c.id))
    .where(
        _table.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        _table.c.export_id == sa.bindparam("export_id", type_=sa.Uuid),
    )
)
_PAGES = {
    (ascending, after): CompiledStatement(
        keyset(_EXPORTS, _table.c.created_at, _table.c.export_id, ascending=ascending, after=after)
    )
    for ascending in (False, True)
    for after in (False, True)
}


async def next_control_number(uow: ReadUnitOfWork) -> int:
    """The next number of a sequence that all agencies share. No number is given twice, even if the export fails."""
    number: int = (await uow.fetch_row(_NEXT_CONTROL_NUMBER, {}))[0]
    return number


class ExportRepository:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def find(self, tenant_id: TenantId, export_id: uuid.UUID) -> Export | None:
        row = await self._uow.fetch_row(_ONE, {"tenant_id": tenant_id, "export_id": export_id})
        return None if row is None else _read(row)

    async def list_page(self, tenant_id: TenantId, paging: Paging) -> Page[Export]:
        statement = _PAGES[paging.ascending, paging.cursor is not None]
        rows = await self._uow.fetch(statement, {"tenant_id": tenant_id, **paging.values()})
        shown, next_cursor = paging.split(rows, "export_id")
        return Page[Any].model_construct(items=[_read(row) for row in shown], next_cursor=next_cursor)

    async def last_exported(self, tenant_id: TenantId, claim_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dt.datetime]:
        """The last time at which each claim went out. A claim that never went out is absent."""
        rows = await self._uow.fetch(_LAST_EXPORTED, {"tenant_id": tenant_id, "ids": list(claim_ids)})
        return {row[0]: row[1] for row in rows}

    async def list_incident_ids(self, tenant_id: TenantId, export_id: uuid.UUID) -> list[uuid.UUID]:
        """The charts whose claims are in the file, also if a claim changed or was deleted since."""
        rows = await self._uow.fetch(_INCIDENTS, {"tenant_id": tenant_id, "export_id": export_id})
        return [row[0] for row in rows]

    async def record(
        self,
        tenant_id: TenantId,
        *,
        export_id: uuid.UUID,
        claim_ids: Sequence[uuid.UUID],
        artifact_key: str,
        control_number: int,
    ) -> None:
        """Adds one row per claim, in the order of the file."""
        for claim_id in claim_ids:
            await self._uow.fetch(
                _INSERT,
                {
                    "id": new_id(),
                    "tenant_id": tenant_id,
                    "export_id": export_id,
                    "claim_id": claim_id,
                    "artifact_key": artifact_key,
                    "format": ClaimFileFormat.X12_837P,
                    "control_number": control_number,
                },
            )


def _read(row: Any) -> Export:
    return Export(
        id=row["export_id"],
        format=ClaimFileFormat(row["format"]),
        control_number=row["control_number"],
        artifact_key=row["artifact_key"],
        created_at=row["created_at"],
        claim_ids=row["claim_ids"],
    )
