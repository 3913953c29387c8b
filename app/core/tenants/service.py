"""The agency's own profile."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from app.core.audit.actions import AuditAction
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.repository import require_version
from app.core.tenants.consistency import require_consistent
from app.core.tenants.events import TENANT_UPDATED
from app.core.tenants.lifecycle import TenantTransition, tenant_lifecycle
from app.core.tenants.models import Tenant
from app.core.tenants.permissions import TENANT_WRITE
from app.core.tenants.repository import TenantRepository
from app.core.tenants.schemas import TenantPatch


class TenantAction(AuditAction):
    PROVISIONED = "tenant.provisioned"
    REVISED = "tenant.revised"


async def current_tenant(uow: ReadUnitOfWork) -> Tenant:
    """The tenant that the unit of work is bound to."""
    return await TenantRepository(uow).get(uow.tenant_id, uow.tenant_id)


async def read_tenant(uow: ReadUow) -> Tenant:
    return await current_tenant(uow)


class TenantService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def revise(self, patch: TenantPatch) -> Tenant:
        """Raises Conflict for a stale version, ValidationFailed for a profile that does not hold together."""
        self._uow.principal.require(TENANT_WRITE)
        tenant = await current_tenant(self._uow)
        require_version(tenant, patch.version)
        async with self._uow.change(tenant, TenantAction.REVISED, event=TENANT_UPDATED):
            for name, value in patch.changes().items():
                setattr(tenant, name, value)
            require_consistent(tenant)
        return tenant

    async def suspend(self, reason: str) -> Tenant:
        """Suspends the tenant, so that nobody can sign in.

        Raises Forbidden (only the system may), InvalidTransition (suspended already).
        """
        return await self._fire(TenantTransition.SUSPEND, reason)

    async def resume(self, reason: str) -> Tenant:
        """Resumes the tenant. Raises Forbidden (only the system may), InvalidTransition (not suspended)."""
        return await self._fire(TenantTransition.RESUME, reason)

    async def _fire(self, action: TenantTransition, reason: str) -> Tenant:
        tenant = await TenantRepository(self._uow).get_for_update(self._uow.tenant_id, self._uow.tenant_id)
        await tenant_lifecycle.fire(self._uow, tenant, action, None, reason=reason)
        return tenant


async def tenant_service(uow: Uow) -> TenantService:
    return TenantService(uow)


Tenants = Annotated[TenantService, Depends(tenant_service)]
CurrentTenant = Annotated[Tenant, Depends(read_tenant)]
