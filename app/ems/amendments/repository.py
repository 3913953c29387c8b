"""Queries for amendments."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository
from app.ems.amendments.models import ChartAmendment

_table: Any = ChartAmendment.__table__
_BASE = CompiledStatement(
    sa.select(sa.func.min(_table.c.base_version)).where(
        *(
            _table.c[name] == sa.bindparam(name, type_=_table.c[name].type)
            for name in ("tenant_id", "incident_id", "entity_id", "completed_at")
        )
    )
)


class AmendmentRepository(Repository[ChartAmendment]):
    entity = ChartAmendment
    filters = ("incident_id", "entity_id")

    async def find_base_version(
        self, tenant_id: TenantId, incident_id: uuid.UUID, entity_id: uuid.UUID, completed_at: dt.datetime
    ) -> int | None:
        """The version of an entry that the chart completed then held; None while nobody has amended the entry since."""
        row = await self.uow.fetch_row(
            _BASE,
            {"tenant_id": tenant_id, "incident_id": incident_id, "entity_id": entity_id, "completed_at": completed_at},
        )
        base: int | None = row[0]
        return base
