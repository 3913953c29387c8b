"""The notice that a patient signed."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from app.billing.notices.models import AdvanceNotice
from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository

_table: Any = AdvanceNotice.__table__
_LATEST = CompiledStatement(
    sa.select(*_table.c)
    .where(
        _table.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        _table.c.patient_id == sa.bindparam("patient_id", type_=sa.Uuid),
        _table.c.deleted_at.is_(None),
    )
    .order_by(_table.c.signed_on.desc(), _table.c.created_at.desc(), _table.c.id)
    .limit(sa.literal_column("1"))
)


class NoticeRepository(Repository[AdvanceNotice]):
    entity = AdvanceNotice

    async def find_latest(self, tenant_id: TenantId, patient_id: uuid.UUID) -> AdvanceNotice | None:
        """The notice of the patient's call that was signed last."""
        row = await self.uow.fetch_row(_LATEST, {"tenant_id": tenant_id, "patient_id": patient_id})
        return None if row is None else self._built((row,))[0]
