"""Queries for denials."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from app.billing.denials.models import Denial, deadline_or_last
from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository

_denials: Any = Denial.__table__
_UNSETTLED = CompiledStatement(
    sa.select(*_denials.c)
    .where(
        _denials.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        _denials.c.claim_id == sa.bindparam("claim_id", type_=sa.Uuid),
        _denials.c.status != sa.literal_column("'resolved'"),
        _denials.c.deleted_at.is_(None),
    )
    .order_by(_denials.c.id)
    .with_for_update()
)


class DenialRepository(Repository[Denial]):
    entity = Denial
    filters = ("status", "claim_id", "payer_record_id", "category", "owner", "remedy", "assigned_to_user_id")
    ranges = ("created_at", "appeal_by")
    sorts = ("appeal_by",)

    async def list_unsettled_for_update(self, tenant_id: TenantId, claim_id: uuid.UUID) -> list[Denial]:
        """What of the claim no later decision has settled, locked until the end of the unit of work."""
        return self._built(await self.uow.fetch(_UNSETTLED, {"tenant_id": tenant_id, "claim_id": claim_id}))

    def _sort_key(self, column: str) -> sa.ColumnElement[Any]:
        if column != "appeal_by":
            return super()._sort_key(column)
        return deadline_or_last(_denials)
