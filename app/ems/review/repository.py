"""Queries for reviews and their comments."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository
from app.ems.review.models import ChartReview, ReviewComment

_table: Any = ChartReview.__table__
_LATEST = (
    sa.select(*_table.c)
    .where(
        _table.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        _table.c.incident_id == sa.bindparam("incident_id", type_=sa.Uuid),
        _table.c.deleted_at.is_(None),
    )
    .order_by(_table.c.created_at.desc(), _table.c.id.desc())
    .limit(sa.literal_column("1"))
)
_FIND_LATEST = CompiledStatement(_LATEST)
_FIND_LATEST_FOR_UPDATE = CompiledStatement(_LATEST.with_for_update())


class ReviewRepository(Repository[ChartReview]):
    entity = ChartReview
    filters = ("incident_id", "status", "reviewer_id", "author_id")

    async def find_latest(self, tenant_id: TenantId, incident_id: uuid.UUID) -> ChartReview | None:
        """The chart's waiting review, or else its last one."""
        return await self._latest(_FIND_LATEST, tenant_id, incident_id)

    async def find_latest_for_update(self, tenant_id: TenantId, incident_id: uuid.UUID) -> ChartReview | None:
        """The chart's waiting review, or else its last one, locked FOR UPDATE."""
        return await self._latest(_FIND_LATEST_FOR_UPDATE, tenant_id, incident_id)

    async def _latest(
        self, statement: CompiledStatement, tenant_id: TenantId, incident_id: uuid.UUID
    ) -> ChartReview | None:
        row = await self.uow.fetch_row(statement, {"tenant_id": tenant_id, "incident_id": incident_id})
        return None if row is None else self.plan.build(row)


class ReviewCommentRepository(Repository[ReviewComment]):
    entity = ReviewComment
    filters = ("incident_id", "status", "entity_id")
