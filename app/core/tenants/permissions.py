"""Permissions to see and change the agency's profile."""

from __future__ import annotations

from app.core.permissions import USER_ROLES, Role, declare

TENANT_READ = declare("tenant.read", "Read the agency's own profile.", *USER_ROLES, Role.KEY)
TENANT_WRITE = declare("tenant.write", "Change the agency's own profile.", Role.ADMIN)

PERMISSIONS = (TENANT_READ, TENANT_WRITE)
