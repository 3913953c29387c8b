"""Queries for suppressions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository
from app.email.suppressions.models import EmailSuppression

_table: Any = EmailSuppression.__table__
_BY_ADDRESS = CompiledStatement(
    sa.select(*_table.c).where(
        _table.c.tenant_id == sa.bindparam("tenant_id", type_=_table.c.tenant_id.type),
        _table.c.address == sa.bindparam("address", type_=_table.c.address.type),
        _table.c.deleted_at.is_(None),
    )
)


class SuppressionRepository(Repository[EmailSuppression]):
    entity = EmailSuppression

    async def find_by_address(self, tenant_id: TenantId, address: str) -> EmailSuppression | None:
        rows = await self.uow.fetch(_BY_ADDRESS, {"tenant_id": tenant_id, "address": address})
        return next(iter(self._built(rows)), None)
