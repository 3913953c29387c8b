"""Queries for coverages."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.billing.coverages.models import Coverage
from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository

_table: Any = Coverage.__table__
_KNOWN = CompiledStatement(
    sa.select(_table.c.id).where(
        _table.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        _table.c.id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Uuid()))),
    )
)


class CoverageRepository(Repository[Coverage]):
    entity = Coverage
    filters = ("incident_id", "patient_id", "payer_record_id")

    async def list_of_patient(self, tenant_id: TenantId, patient_id: uuid.UUID) -> list[Coverage]:
        """The patient's live coverages in the order of their sequence: P, S, T."""
        found = await self.list_all(tenant_id, patient_id=patient_id)
        return sorted(found, key=lambda coverage: coverage.sequence)

    async def list_known(self, tenant_id: TenantId, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
        """Those of `ids` that are or were a coverage: deleted ones count."""
        return {row[0] for row in await self.uow.fetch(_KNOWN, {"tenant_id": tenant_id, "ids": list(ids)})}
