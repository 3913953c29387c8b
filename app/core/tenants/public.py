"""The parts of agencies that other domains may use."""

from __future__ import annotations

from app.core.tenants.models import Tenant
from app.core.tenants.permissions import TENANT_WRITE
from app.core.tenants.schemas import TenantRead
from app.core.tenants.service import current_tenant

__all__ = [
    "TENANT_WRITE",
    "Tenant",
    "TenantRead",
    "current_tenant",
]
