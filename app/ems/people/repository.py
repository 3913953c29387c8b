"""Queries for the names of people: of users, and of persons of the crew."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.ids import TenantId
from app.core.personnel.public import Person
from app.core.users.public import User

_users: Any = User.__table__
_personnel: Any = Person.__table__
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)
_IDS = sa.bindparam("ids", type_=ARRAY(sa.Uuid()))
_NAMES = CompiledStatement(
    sa.union_all(
        sa.select(_users.c.id, _users.c.display_name.label("name")).where(
            _users.c.tenant_id == _TENANT, _users.c.id == sa.any_(_IDS)
        ),
        sa.select(_personnel.c.id, (_personnel.c.first_name + " " + _personnel.c.last_name).label("name")).where(
            _personnel.c.tenant_id == _TENANT, _personnel.c.id == sa.any_(_IDS)
        ),
    )
)


class PeopleRepository:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def list_names(self, tenant_id: TenantId, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
        """Names by id, also of people who have left, because a record names everybody who was there."""
        rows = await self._uow.fetch(_NAMES, {"tenant_id": tenant_id, "ids": sorted(ids)})
        return {row[0]: row[1] for row in rows}
