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
REMITTANCE_READ = declare("remittance.read", "Read remittances and acknowledgements.", Role.ADMIN, Role.BILLING)
REMITTANCE_WRITE = declare(
    "remittance.write", "Take in remittances and acknowledgements, and resolve what is held.", Role.ADMIN, Role.BILLING
)
LEDGER_READ = declare("ledger.read", "Read the ledger.", Role.ADMIN, Role.BILLING, Role.FOUNDER)
LEDGER_WRITE = declare("ledger.write", "Post write-offs, refunds and transfers.", Role.ADMIN, Role.BILLING)
CLEARINGHOUSE_READ = declare("clearinghouse.read", "See the agency's clearinghouses.", Role.ADMIN, Role.BILLING)
CLEARINGHOUSE_WRITE = declare("clearinghouse.write", "Add, correct and delete clearinghouses.", Role.ADMIN)

PERMISSIONS = (
    CLAIM_READ,
    CLAIM_CLINICAL,
    CLAIM_WRITE,
    CLAIM_EXPORT,
    CLAIM_RESTORE,
    REMITTANCE_READ,
    REMITTANCE_WRITE,
    LEDGER_READ,
    LEDGER_WRITE,
    CLEARINGHOUSE_READ,
    CLEARINGHOUSE_WRITE,
)
