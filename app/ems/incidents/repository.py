"""Queries for incidents."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository
from app.ems.incidents.models import Incident

_table: Any = Incident.__table__
_FOR_SHARE = CompiledStatement(
    sa.select(*_table.c)
    .where(
        _table.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        _table.c.id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Uuid()))),
        _table.c.deleted_at.is_(None),
    )
    .order_by(_table.c.id)
    .with_for_update(read=True)
)


class IncidentRepository(Repository[Incident]):
    entity = Incident
    filters = ("status", "incident_number", "created_by", "vehicle_id")
    ranges = ("created_at", "dispatch_time")
    sorts = ("dispatch_time",)

    async def list_for_share(self, tenant_id: TenantId, ids: Sequence[uuid.UUID]) -> list[Incident]:
        """The live incidents among `ids`, locked FOR SHARE in the order of their ids."""
        return self._built(await self.uow.fetch(_FOR_SHARE, {"tenant_id": tenant_id, "ids": list(ids)}))
