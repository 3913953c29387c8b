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

_incidents: Any = Incident.__table__
_FOR_SHARE = CompiledStatement(
    sa.select(*_incidents.c)
    .where(
        _incidents.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        _incidents.c.id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Uuid()))),
        _incidents.c.deleted_at.is_(None),
    )
    .order_by(_incidents.c.id)
    .with_for_update(read=True)
)
_STANDING = CompiledStatement(
    sa.select(_incidents.c.deleted_at).where(
        _incidents.c.tenant_id == sa.bindparam("tenant_id", type_=_incidents.c.tenant_id.type),
        _incidents.c.id == sa.bindparam("id", type_=_incidents.c.id.type),
    )
)


class IncidentRepository(Repository[Incident]):
    entity = Incident
    filters = ("status", "incident_number", "created_by", "vehicle_id")
    ranges = ("created_at", "dispatch_time")
    sorts = ("dispatch_time",)

    async def exists(self, tenant_id: TenantId, incident_id: uuid.UUID, *, even_deleted: bool) -> bool:
        """True if there is such a chart. Nothing of it is shown, so this is no access to it."""
        row = await self.uow.fetch_row(_STANDING, {"tenant_id": tenant_id, "id": incident_id})
        return row is not None and (even_deleted or row["deleted_at"] is None)

    async def list_for_share(self, tenant_id: TenantId, ids: Sequence[uuid.UUID]) -> list[Incident]:
        """The live incidents among `ids`, locked FOR SHARE in the order of their ids."""
        return self._built(await self.uow.fetch(_FOR_SHARE, {"tenant_id": tenant_id, "ids": list(ids)}))
