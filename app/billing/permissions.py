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

CLEARINGHOUSE_READ = declare("clearinghouse.read", "See the agency's clearinghouses.", Role.ADMIN, Role.BILLING)
CLEARINGHOUSE_WRITE = declare("clearinghouse.write", "Add, correct and delete clearinghouses.", Role.ADMIN)

PERMISSIONS = (
    CLAIM_READ,
    CLAIM_CLINICAL,
    CLAIM_WRITE,
    CLAIM_EXPORT,
    CLAIM_RESTORE,
    CLEARINGHOUSE_READ,
    CLEARINGHOUSE_WRITE,
)
