"""Permissions to see and keep the agency's personnel."""

from __future__ import annotations

from app.core.permissions import USER_ROLES, Role, declare

PERSONNEL_READ = declare("personnel.read", "See the agency's personnel.", *USER_ROLES, Role.KEY)
PERSONNEL_WRITE = declare("personnel.write", "Keep the agency's personnel.", Role.ADMIN, Role.KEY)

PERMISSIONS = (PERSONNEL_READ, PERSONNEL_WRITE)
