"""Who may see and keep payers, billing accounts and coverages, and read, write and export claims (directive 4.2)."""

from __future__ import annotations

from app.core.permissions import Role, declare

PAYER_READ = declare("payer.read", "See the payers and their rules.", Role.ADMIN, Role.BILLING, Role.FOUNDER, Role.KEY)
PAYER_WRITE = declare("payer.write", "Keep the payers and their rules.", Role.ADMIN, Role.BILLING)
ACCOUNT_READ = declare(
    "billing_account.read", "See who is responsible for bills, and of which calls.", Role.ADMIN, Role.BILLING, Role.KEY
)
ACCOUNT_WRITE = declare(
    "billing_account.write", "Keep billing accounts, join calls to them and part them.", Role.ADMIN, Role.BILLING
)
COVERAGE_READ = declare("coverage.read", "See the coverages of patients.", Role.ADMIN, Role.BILLING, Role.KEY)
COVERAGE_WRITE = declare("coverage.write", "Keep the coverages of patients.", Role.ADMIN, Role.BILLING)
CLAIM_READ = declare("claim.read", "Read claims.", Role.ADMIN, Role.BILLING, Role.FOUNDER, Role.KEY)
CLAIM_CLINICAL = declare(
    "claim.clinical", "See what a claim says about the patient.", Role.ADMIN, Role.BILLING, Role.KEY
)
CLAIM_WRITE = declare("claim.write", "Create claims, edit them and move them along.", Role.ADMIN, Role.BILLING)
CLAIM_EXPORT = declare("claim.export", "Make and download 837P files.", Role.ADMIN, Role.BILLING)
CLAIM_RESTORE = declare(
    "claim.restore",
    "Delete claims, and see and restore deleted claims, billing accounts and coverages.",
    Role.ADMIN,
)
FEE_WRITE = declare("fee.write", "Keep the prices of services.", Role.ADMIN, Role.BILLING)
ALS_ACT_WRITE = declare("als_act.write", "Say which acts a state reserves for ALS staff.", Role.ADMIN)

CLEARINGHOUSE_READ = declare("clearinghouse.read", "See the agency's clearinghouses.", Role.ADMIN, Role.BILLING)
CLEARINGHOUSE_WRITE = declare("clearinghouse.write", "Add, correct and delete clearinghouses.", Role.ADMIN)

PERMISSIONS = (
    PAYER_READ,
    PAYER_WRITE,
    ACCOUNT_READ,
    ACCOUNT_WRITE,
    COVERAGE_READ,
    COVERAGE_WRITE,
    CLAIM_READ,
    CLAIM_CLINICAL,
    CLAIM_WRITE,
    CLAIM_EXPORT,
    CLAIM_RESTORE,
    FEE_WRITE,
    ALS_ACT_WRITE,
    CLEARINGHOUSE_READ,
    CLEARINGHOUSE_WRITE,
)
