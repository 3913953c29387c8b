"""Queries for patients."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository
from app.ems.patients.models import Patient

MOST_NAMESAKES = 500
_table: Any = Patient.__table__
_NAMESAKES = CompiledStatement(
    sa.select(_table.c.id)
    .where(
        _table.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        _table.c.last_name_key == sa.bindparam("last_name_key", type_=sa.Text),
        _table.c.first_name_key == sa.bindparam("first_name_key", type_=sa.Text),
        _table.c.date_of_birth == sa.bindparam("date_of_birth", type_=sa.Date),
        _table.c.deleted_at.is_(None),
    )
    .limit(sa.literal_column(str(MOST_NAMESAKES)))
)


class PatientRepository(Repository[Patient]):
    entity = Patient
    filters = ("incident_id",)

    async def list_namesakes(
        self, tenant_id: TenantId, *, last_name_key: str, first_name_key: str, date_of_birth: dt.date
    ) -> list[uuid.UUID]:
        """Ids of live patients of any call with these names and this birth date, 500 at most. Nobody is shown them."""
        values = {"last_name_key": last_name_key, "first_name_key": first_name_key, "date_of_birth": date_of_birth}
        return [row[0] for row in await self.uow.fetch(_NAMESAKES, {**values, "tenant_id": tenant_id})]
