"""Permissions to see and keep the agency's facilities."""

from __future__ import annotations

from app.core.permissions import USER_ROLES, Role, declare

FACILITY_READ = declare("facility.read", "See the facilities that patients come from and go to.", *USER_ROLES, Role.KEY)
FACILITY_WRITE = declare(
    "facility.write", "Keep the facilities that patients come from and go to.", Role.ADMIN, Role.KEY
)

PERMISSIONS = (FACILITY_READ, FACILITY_WRITE)
