"""Who may see and manage users."""

from __future__ import annotations

from app.core.permissions import Role, declare

USER_READ = declare("user.read", "List the agency's users.", Role.ADMIN)
USER_WRITE = declare("user.write", "Create and change users.", Role.ADMIN)
