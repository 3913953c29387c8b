"""Queries for the tenant's own row."""

from __future__ import annotations

from app.core.repository import Repository
from app.core.tenants.models import Tenant


class TenantRepository(Repository[Tenant]):
    entity = Tenant
