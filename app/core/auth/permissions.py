"""Signing in needs none; asking who one is needs a token of any role."""

from __future__ import annotations

from app.core.permissions import USER_ROLES, declare

SELF_READ = declare("self.read", "Read one's own account.", *USER_ROLES)
