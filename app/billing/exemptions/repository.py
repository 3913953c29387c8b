"""Queries for exemptions."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from app.billing.exemptions.models import ClaimExemption
from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository

_table: Any = ClaimExemption.__table__
_PATIENT = sa.bindparam("patient_id", type_=sa.Uuid)
_OF_PATIENT = CompiledStatement(
    sa.select(*_table.c)
    .where(
        _table.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        _table.c.incident_id == sa.bindparam("incident_id", type_=sa.Uuid),
        _table.c.patient_id.is_not_distinct_from(_PATIENT),
        _table.c.deleted_at.is_(None),
    )
    .with_for_update()
)


class ExemptionRepository(Repository[ClaimExemption]):
    entity = ClaimExemption
    filters = ("incident_id", "patient_id", "reason", "origin")
    ranges = ("created_at",)

    async def find_of(
        self, tenant_id: TenantId, incident_id: uuid.UUID, patient_id: uuid.UUID | None
    ) -> ClaimExemption | None:
        """The live exemption of a patient, or of the whole call, locked FOR UPDATE."""
        values = {"tenant_id": tenant_id, "incident_id": incident_id, "patient_id": patient_id}
        row = await self.uow.fetch_row(_OF_PATIENT, values)
        return None if row is None else self._built((row,))[0]
