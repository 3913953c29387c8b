"""Who may see which secrets an agency has set, and who may set them. Nobody may read one."""

from __future__ import annotations

from app.core.permissions import Role, declare

SECRET_READ = declare("secret.read", "See which secrets the agency has set, never what they are.", Role.ADMIN)
SECRET_WRITE = declare("secret.write", "Set, rotate and delete the agency's secrets.", Role.ADMIN)

PERMISSIONS = (SECRET_READ, SECRET_WRITE)
