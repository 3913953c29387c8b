"""All routers of billing."""

from __future__ import annotations

from app.billing.accounts.router import router as accounts
from app.billing.acknowledgements.router import claims as acknowledged_claims
from app.billing.acknowledgements.router import router as acknowledgements
from app.billing.appeals.router import router as appeals
from app.billing.certificates.kind import CERTIFICATES
from app.billing.claims.router import router as claims
from app.billing.coverages.router import router as coverages
from app.billing.denials.router import router as denials
from app.billing.derivation.router import router as derivation
from app.billing.exemptions.router import router as exemptions
from app.billing.exports.router import router as exports
from app.billing.fee_schedules.router import router as fee_schedules
from app.billing.matching.router import router as matching
from app.billing.notices.kind import NOTICES
from app.billing.originals.router import router as originals
from app.billing.paperwork.routes import paper_router
from app.billing.postings.router import router as ledger
from app.billing.reconciliation.router import router as reconciliation
from app.billing.remittances.router import decisions
from app.billing.remittances.router import router as remittances
from app.billing.repricing.router import router as repricing
from app.billing.scrubbing.router import router as scrubbing
from app.billing.statements.router import router as statements
from app.billing.worklists.router import router as worklists
from app.core.tags import Tag

TAG = Tag(
    "billing",
    "Payers, billing accounts, coverages, fee schedules, claims, worklists, 837P exports, remittances, denials, appeals"
    " and the ledger.",
)
papers = tuple(paper_router(kind) for kind in (CERTIFICATES, NOTICES))
routers = (
    matching,
    accounts,
    coverages,
    claims,
    derivation,
    ledger,
    scrubbing,
    exports,
    acknowledgements,
    acknowledged_claims,
    remittances,
    decisions,
    denials,
    appeals,
    statements,
    originals,
    fee_schedules,
    repricing,
    worklists,
    exemptions,
    reconciliation,
    *papers,
)
