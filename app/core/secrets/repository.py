"""Queries for secrets, and for the time of their last use."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app.core.audit.actions import AuditAction
from app.core.audit.models import AuditEvent
from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository
from app.core.secrets.models import TenantSecret

_table: Any = TenantSecret.__table__
_audit: Any = AuditEvent.__table__


def _by_name() -> sa.Select[Any]:
    return sa.select(*_table.c).where(
        _table.c.tenant_id == sa.bindparam("tenant_id", type_=_table.c.tenant_id.type),
        _table.c.name == sa.bindparam("name", type_=_table.c.name.type),
        _table.c.deleted_at.is_(None),
    )


_FIND = CompiledStatement(_by_name())
_LOCK = CompiledStatement(_by_name().with_for_update())
_LAST_AUDITED = CompiledStatement(
    sa.select(_audit.c.entity_id, sa.func.max(_audit.c.created_at).label("done_at"))
    .where(
        _audit.c.tenant_id == sa.bindparam("tenant_id", type_=_audit.c.tenant_id.type),
        _audit.c.entity_id == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid))),
        _audit.c.action == sa.bindparam("action", type_=_audit.c.action.type),
    )
    .group_by(_audit.c.entity_id)
)


class SecretRepository(Repository[TenantSecret]):
    entity = TenantSecret

    async def find_by_name(self, tenant_id: TenantId, name: str) -> TenantSecret | None:
        rows = await self.uow.fetch(_FIND, {"tenant_id": tenant_id, "name": name})
        return next(iter(self._built(rows)), None)

    async def find_by_name_for_update(self, tenant_id: TenantId, name: str) -> TenantSecret | None:
        """Locks the row until the end of the unit of work."""
        rows = await self.uow.fetch(_LOCK, {"tenant_id": tenant_id, "name": name})
        return next(iter(self._built(rows)), None)

    async def list_last_audited(
        self, tenant_id: TenantId, secret_ids: Sequence[uuid.UUID], action: AuditAction
    ) -> dict[uuid.UUID, dt.datetime]:
        """The last time of `action` for each, as far as the audit log reaches back. Others are left out."""
        values = {"tenant_id": tenant_id, "ids": list(secret_ids), "action": action}
        return {row["entity_id"]: row["done_at"] for row in await self.uow.fetch(_LAST_AUDITED, values)}
