"""Permissions to see and keep the agency's vehicles."""

from __future__ import annotations

from app.core.permissions import USER_ROLES, Role, declare

VEHICLE_READ = declare("vehicle.read", "See the agency's vehicles.", *USER_ROLES, Role.KEY)
VEHICLE_WRITE = declare("vehicle.write", "Keep the agency's vehicles.", Role.ADMIN, Role.KEY)

PERMISSIONS = (VEHICLE_READ, VEHICLE_WRITE)
