"""All routers of billing."""

from __future__ import annotations

from app.billing.accounts.router import router as accounts
from app.billing.claims.router import router as claims
from app.billing.coverages.router import router as coverages
from app.billing.exemptions.router import router as exemptions
from app.billing.exports.router import router as exports
from app.billing.fee_schedules.router import router as fee_schedules
from app.billing.matching.router import router as matching
from app.billing.repricing.router import router as repricing
from app.billing.scrubbing.router import router as scrubbing
from app.core.tags import Tag

TAG = Tag("billing", "Payers, billing accounts, coverages, fee schedules, claims and 837P exports.")
routers = (matching, accounts, coverages, claims, scrubbing, exports, fee_schedules, repricing, exemptions)
