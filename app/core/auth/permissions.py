"""Permissions of one's own account. Every user role has them. Signing in needs none."""

from __future__ import annotations

from app.core.permissions import USER_ROLES, declare

SELF_READ = declare("self.read", "Read one's own account.", *USER_ROLES)
SELF_WRITE = declare("self.write", "Change one's own name and password, and sign out.", *USER_ROLES)

PERMISSIONS = (SELF_READ, SELF_WRITE)
