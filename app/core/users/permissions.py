"""Permissions to see and manage users. The agency's administrators have them."""

from __future__ import annotations

from app.core.permissions import Role, declare

USER_READ = declare("user.read", "Read the agency's users.", Role.ADMIN)
USER_WRITE = declare("user.write", "Invite, change, lock, disable and delete users.", Role.ADMIN)

PERMISSIONS = (USER_READ, USER_WRITE)
