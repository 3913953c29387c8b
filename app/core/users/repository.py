"""Queries for users. Only the login uses the cross-tenant one."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.db.system import SystemUnitOfWork
from app.core.ids import TenantId
from app.core.permissions import Role
from app.core.repository import Repository
from app.core.tenants.models import Tenant
from app.core.users.lifecycle import UserStatus
from app.core.users.models import User

_tenants: Any = Tenant.__table__
_users: Any = User.__table__
_BY_LOGIN = CompiledStatement(
    sa.select(
        _tenants.c.id.label("tenant_id"),
        _tenants.c.status.label("tenant_status"),
        _users.c.id,
        _users.c.role,
        _users.c.is_reviewer,
        _users.c.status,
        _users.c.password_hash,
    )
    .select_from(
        _tenants.outerjoin(
            _users,
            sa.and_(
                _users.c.tenant_id == _tenants.c.id,
                _users.c.email == sa.bindparam("email", type_=sa.Text),
                _users.c.deleted_at.is_(None),
            ),
        )
    )
    .where(_tenants.c.slug == sa.bindparam("slug", type_=sa.Text), _tenants.c.deleted_at.is_(None))
)
_WITH_ADMINS = CompiledStatement(
    sa.select(*_users.c)
    .where(
        _users.c.tenant_id == sa.bindparam("tenant_id", type_=_users.c.tenant_id.type),
        _users.c.deleted_at.is_(None),
        sa.or_(
            _users.c.id == sa.bindparam("id", type_=_users.c.id.type),
            sa.and_(_users.c.role == Role.ADMIN.value, _users.c.status == UserStatus.ACTIVE.value),
        ),
    )
    .order_by(_users.c.id)
    .with_for_update()
)


class UserRepository(Repository[User]):
    entity = User
    filters = ("role", "status", "email")

    async def lock_with_admins(self, tenant_id: TenantId, user_id: uuid.UUID) -> list[User]:
        """The user, if it exists, and all active administrators.

        They are locked in the order of ids, so two simultaneous calls do not deadlock. The second waits and sees the
        changes of the first.
        """
        rows = await self.uow.fetch(_WITH_ADMINS, {"tenant_id": tenant_id, "id": user_id})
        return self._built(rows)


async def get_cross_tenant_for_admin_only_by_login(uow: SystemUnitOfWork, slug: str, email: str) -> Any:
    """The tenant of `slug` with its user of `email` (nulls if there is no such user); None for an unknown slug.

    Only the login uses this, before any tenant is known. The login event is its audit.
    """
    return await uow.fetch_row(_BY_LOGIN, {"slug": slug, "email": email})
