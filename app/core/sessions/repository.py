"""Queries for sessions. The cross-tenant ones fill the gate of every process."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.db.system import SystemUnitOfWork
from app.core.ids import TenantId
from app.core.repository import Repository
from app.core.sessions.lifecycle import SessionStatus
from app.core.sessions.models import UserSession
from app.core.tenants.models import Tenant, TenantStatus

_sessions: Any = UserSession.__table__
_tenants: Any = Tenant.__table__
_ACTIVE_OF_USER = CompiledStatement(
    sa.select(*_sessions.c)
    .where(
        _sessions.c.tenant_id == sa.bindparam("tenant_id", type_=_sessions.c.tenant_id.type),
        _sessions.c.user_id == sa.bindparam("user_id", type_=_sessions.c.user_id.type),
        _sessions.c.status == SessionStatus.ACTIVE.value,
        _sessions.c.deleted_at.is_(None),
        _sessions.c.rotated_at > sa.bindparam("since", type_=_sessions.c.rotated_at.type),
    )
    .order_by(_sessions.c.id)
    .with_for_update()
)
_ENDED = CompiledStatement(
    sa.select(_sessions.c.id).where(_sessions.c.ended_at > sa.bindparam("since", type_=_sessions.c.ended_at.type))
)
_CLOSED_TENANTS = CompiledStatement(
    sa.select(_tenants.c.id).where(
        sa.or_(_tenants.c.status == TenantStatus.SUSPENDED.value, _tenants.c.deleted_at.is_not(None))
    )
)


class SessionRepository(Repository[UserSession]):
    entity = UserSession

    async def lock_active_of_user(
        self, tenant_id: TenantId, user_id: uuid.UUID, since: dt.datetime
    ) -> list[UserSession]:
        """Sessions that may still give access (refreshed after `since`), locked in the order of ids."""
        values = {"tenant_id": tenant_id, "user_id": user_id, "since": since}
        return self._built(await self.uow.fetch(_ACTIVE_OF_USER, values))


async def get_cross_tenant_for_admin_only_ended_sessions(
    uow: SystemUnitOfWork, since: dt.datetime
) -> frozenset[uuid.UUID]:
    """Ids of the sessions of all tenants that were ended after `since`. A poll: exempt from audit."""
    return frozenset(row[0] for row in await uow.fetch(_ENDED, {"since": since}))


async def get_cross_tenant_for_admin_only_closed_tenants(uow: SystemUnitOfWork) -> frozenset[uuid.UUID]:
    """Ids of suspended and deleted tenants. A poll: exempt from audit."""
    return frozenset(row[0] for row in await uow.fetch(_CLOSED_TENANTS, {}))
