"""Queries for the tenant's own row, and for the operator who knows a tenant by its slug."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.db.system import SystemUnitOfWork
from app.core.ids import TenantId
from app.core.repository import Repository
from app.core.tenants.models import Tenant

_tenants: Any = Tenant.__table__
_BY_SLUG = CompiledStatement(
    sa.select(_tenants.c.id).where(
        _tenants.c.slug == sa.bindparam("slug", type_=sa.Text), _tenants.c.deleted_at.is_(None)
    )
)

_IDS = CompiledStatement(sa.select(_tenants.c.id).where(_tenants.c.deleted_at.is_(None)).order_by(_tenants.c.id))


class TenantRepository(Repository[Tenant]):
    entity = Tenant


async def get_cross_tenant_for_admin_only_by_slug(uow: SystemUnitOfWork, slug: str) -> TenantId | None:
    """The tenant of `slug`, in any case, or None.

    Only the operator's scripts use it. Their acts are audited in the tenant.
    """
    row = await uow.fetch_row(_BY_SLUG, {"slug": slug.strip().lower()})
    return None if row is None else TenantId(row[0])


async def list_cross_tenant_for_admin_only_ids(uow: SystemUnitOfWork) -> list[TenantId]:
    """All tenants, also suspended ones. Only the operator's scripts use it. Their acts are audited in each tenant."""
    return [TenantId(row[0]) for row in await uow.fetch(_IDS, {})]
