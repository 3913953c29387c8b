"""Who may read the logs."""

from __future__ import annotations

from app.core.permissions import Role, declare

AUDIT_READ = declare("audit.read", "Read and export the audit log and the access log.", Role.ADMIN)

PERMISSIONS = (AUDIT_READ,)
