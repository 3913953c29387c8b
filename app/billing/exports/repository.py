"""Queries for exports. The rows of one file become one record, the files of one export one answer."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.billing.claims.models import Claim
from app.billing.exports.models import ClaimExport, ClaimFileFormat, Export, ExportFile
from app.billing.payers.models import PayerRecord
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.ids import TenantId, new_id
from app.core.pagination import Page, Paging, keyset
from app.core.repository import Repository

_table: Any = ClaimExport.__table__
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)
_IDS = sa.bindparam("ids", type_=ARRAY(sa.Uuid()))
_OF_FILE = ("export_id", "artifact_key", "format", "control_number", "file_number", "file_name", "size_bytes", "sha256")
_OF_CLAIM = ("id", "claim_id", "transaction_set")
_claims_of_file = (
    sa.func.unnest(*(sa.bindparam(name, type_=ARRAY(_table.c[name].type)) for name in _OF_CLAIM))
    .table_valued(*(sa.column(name, _table.c[name].type) for name in _OF_CLAIM), name="claims_of_file")
    .render_derived()
)
_INSERT = CompiledStatement(
    sa.insert(_table).from_select(
        ["tenant_id", *_OF_FILE, *_OF_CLAIM],
        sa.select(
            _TENANT,
            *(sa.bindparam(name, type_=_table.c[name].type) for name in _OF_FILE),
            *(_claims_of_file.c[name] for name in _OF_CLAIM),
        ),
        include_defaults=False,
    )
)
_NEXT_CONTROL_NUMBERS = CompiledStatement(
    sa.select(sa.Sequence("interchange_control_numbers").next_value()).select_from(
        sa.func.generate_series(1, sa.bindparam("how_many", type_=sa.Integer)).alias()
    )
)
_EXPORTS = (
    sa.select(_table.c.export_id, _table.c.created_at)
    .where(_table.c.tenant_id == _TENANT)
    .group_by(_table.c.export_id, _table.c.created_at)
)
_ROWS = CompiledStatement(
    sa.select(*(_table.c[name] for name in (*_OF_FILE, "claim_id", "created_at")))
    .where(_table.c.tenant_id == _TENANT, _table.c.export_id == sa.any_(_IDS))
    .order_by(_table.c.export_id, _table.c.file_number, _table.c.id)
)
_LAST_EXPORTED = CompiledStatement(
    sa.select(_table.c.claim_id, sa.func.max(_table.c.created_at))
    .where(_table.c.tenant_id == _TENANT, _table.c.claim_id == sa.any_(_IDS))
    .group_by(_table.c.claim_id)
)

_claims: Any = Claim.__table__
_INCIDENTS = CompiledStatement(
    sa.select(_claims.c.incident_id)
    .distinct()
    .join(_table, sa.and_(_table.c.tenant_id == _claims.c.tenant_id, _table.c.claim_id == _claims.c.id))
    .where(_table.c.tenant_id == _TENANT, _table.c.artifact_key == sa.bindparam("artifact_key", type_=sa.Text))
)
_later: Any = _table.alias("later")
_LAST_OF_FILE = CompiledStatement(
    sa.select(_table.c.claim_id)
    .where(
        _table.c.tenant_id == _TENANT,
        _table.c.artifact_key == sa.bindparam("artifact_key", type_=sa.Text),
        ~sa.exists().where(
            _later.c.tenant_id == _TENANT, _later.c.claim_id == _table.c.claim_id, _later.c.id > _table.c.id
        ),
    )
    .order_by(_table.c.claim_id)
)
_PAGES = {
    (ascending, after): CompiledStatement(
        keyset(_EXPORTS, _table.c.created_at, _table.c.export_id, ascending=ascending, after=after)
    )
    for ascending in (False, True)
    for after in (False, True)
}


async def next_control_numbers(uow: ReadUnitOfWork, how_many: int) -> list[int]:
    """The next numbers of a sequence that all agencies share. No number is given twice, even if the export fails."""
    return [row[0] for row in await uow.fetch(_NEXT_CONTROL_NUMBERS, {"how_many": how_many})]


class BilledPayers(Repository[PayerRecord]):
    """The payers that the claims of a batch name."""

    entity = PayerRecord
    filters = ("id",)


class ExportRepository:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def find(self, tenant_id: TenantId, export_id: uuid.UUID) -> Export | None:
        found = await self._list(tenant_id, [export_id])
        return found[0] if found else None

    async def list_page(self, tenant_id: TenantId, paging: Paging) -> Page[Export]:
        statement = _PAGES[paging.ascending, paging.cursor is not None]
        rows = await self._uow.fetch(statement, {"tenant_id": tenant_id, **paging.values()})
        shown, next_cursor = paging.split(rows, "export_id")
        exports = await self._list(tenant_id, [row["export_id"] for row in shown])
        return Page[Any].model_construct(items=exports, next_cursor=next_cursor)

    async def last_exported(self, tenant_id: TenantId, claim_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dt.datetime]:
        """The last time at which each claim went out. A claim that never went out is absent."""
        rows = await self._uow.fetch(_LAST_EXPORTED, {"tenant_id": tenant_id, "ids": list(claim_ids)})
        return {row[0]: row[1] for row in rows}

    async def list_incident_ids(self, tenant_id: TenantId, artifact_key: str) -> list[uuid.UUID]:
        """The charts whose claims are in the file, also if a claim changed or was deleted since."""
        rows = await self._uow.fetch(_INCIDENTS, {"tenant_id": tenant_id, "artifact_key": artifact_key})
        return [row[0] for row in rows]

    async def list_last_of_file(self, tenant_id: TenantId, artifact_key: str) -> list[uuid.UUID]:
        """The claims that were in this file and in no later one, by id."""
        rows = await self._uow.fetch(_LAST_OF_FILE, {"tenant_id": tenant_id, "artifact_key": artifact_key})
        return [row[0] for row in rows]

    async def record(
        self, tenant_id: TenantId, export_id: uuid.UUID, file: ExportFile, transaction_sets: Sequence[int | None]
    ) -> None:
        """Adds one row per claim, in the order of the file. `transaction_sets` are ST02 of the claims."""
        described = {name: getattr(file, name) for name in _OF_FILE if name != "export_id"}
        await self._uow.fetch(
            _INSERT,
            {
                **described,
                "tenant_id": tenant_id,
                "export_id": export_id,
                "id": [new_id() for _ in file.claim_ids],
                "claim_id": file.claim_ids,
                "transaction_set": list(transaction_sets),
            },
        )

    async def _list(self, tenant_id: TenantId, export_ids: Sequence[uuid.UUID]) -> list[Export]:
        """The exports in the order of `export_ids`; a missing one is absent."""
        rows = await self._uow.fetch(_ROWS, {"tenant_id": tenant_id, "ids": list(export_ids)})
        by_export: dict[uuid.UUID, list[Any]] = {}
        for row in rows:
            by_export.setdefault(row["export_id"], []).append(row)
        return [_export(by_export[export_id]) for export_id in export_ids if export_id in by_export]


def _export(rows: Sequence[Any]) -> Export:
    by_file: dict[int, list[Any]] = {}
    for row in rows:
        by_file.setdefault(row["file_number"], []).append(row)
    return Export(rows[0]["export_id"], rows[0]["created_at"], [_file(of_file) for of_file in by_file.values()])


def _file(rows: Sequence[Any]) -> ExportFile:
    described = {name: rows[0][name] for name in _OF_FILE if name not in ("export_id", "format")}
    claim_ids: Iterable[uuid.UUID] = (row["claim_id"] for row in rows)
    return ExportFile(format=ClaimFileFormat(rows[0]["format"]), claim_ids=list(claim_ids), **described)
