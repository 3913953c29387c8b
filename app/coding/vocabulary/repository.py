"""Queries for an agency's own terms."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.coding.vocabulary.models import VocabularyTerm
from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository

_table: Any = VocabularyTerm.__table__
_COUNT = CompiledStatement(
    sa.select(sa.func.count()).where(
        _table.c.tenant_id == sa.bindparam("tenant_id", type_=_table.c.tenant_id.type), _table.c.deleted_at.is_(None)
    )
)


class VocabularyRepository(Repository[VocabularyTerm]):
    entity = VocabularyTerm
    filters = ("spoken",)

    async def count_live(self, tenant_id: TenantId) -> int:
        count: int = (await self.uow.fetch_row(_COUNT, {"tenant_id": tenant_id}))[0]
        return count
