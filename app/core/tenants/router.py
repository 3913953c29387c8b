"""GET and PATCH tenants/current."""

from __future__ import annotations

from fastapi import APIRouter

from app.core.dependencies import requires
from app.core.tags import Tag
from app.core.tenants.models import Tenant
from app.core.tenants.permissions import TENANT_READ, TENANT_WRITE
from app.core.tenants.schemas import TenantPatch, TenantRead
from app.core.tenants.service import CurrentTenant, Tenants

TAG = Tag("tenants", "The agency's own profile, its vehicles, its personnel and the facilities it goes to.")
router = APIRouter(prefix="/tenants", tags=["tenants"])


@router.get("/current", response_model=TenantRead, dependencies=[requires(TENANT_READ)])
async def read_current_tenant(tenant: CurrentTenant) -> Tenant:
    """The profile of the agency that the token belongs to."""
    return tenant


@router.patch("/current", response_model=TenantRead, dependencies=[requires(TENANT_WRITE)])
async def revise_current_tenant(patch: TenantPatch, tenants: Tenants) -> Tenant:
    """Change the profile. NEMSIS headers and 837P provider loops of later exports follow it."""
    return await tenants.revise(patch)
