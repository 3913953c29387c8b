"""Who may read, write and export claims (directive 4.2)."""

from __future__ import annotations

from app.core.permissions import Role, declare

CLAIM_READ = declare("claim.read", "Read claims.", Role.ADMIN, Role.BILLING, Role.FOUNDER, Role.KEY)
CLAIM_CLINICAL = declare(
    "claim.clinical", "See what a claim says about the patient.", Role.ADMIN, Role.BILLING, Role.KEY
)
CLAIM_WRITE = declare("claim.write", "Create claims, edit them and move them along.", Role.ADMIN, Role.BILLING)
CLAIM_EXPORT = declare("claim.export", "Make and download 837P files.", Role.ADMIN, Role.BILLING)
CLAIM_RESTORE = declare("claim.restore", "Delete claims, see deleted ones and restore them.", Role.ADMIN)
FEE_WRITE = declare("fee.write", "Keep the prices of services.", Role.ADMIN, Role.BILLING)

PERMISSIONS = (CLAIM_READ, CLAIM_CLINICAL, CLAIM_WRITE, CLAIM_EXPORT, CLAIM_RESTORE, FEE_WRITE)
