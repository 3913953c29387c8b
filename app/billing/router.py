"""All routers of billing."""

from __future__ import annotations

from app.billing.acknowledgements.router import claims as acknowledged_claims
from app.billing.acknowledgements.router import router as acknowledgements
from app.billing.claims.router import router as claims
from app.billing.exports.router import router as exports
from app.billing.originals.router import router as originals
from app.billing.postings.router import router as ledger
from app.billing.remittances.router import decisions
from app.billing.remittances.router import router as remittances
from app.core.tags import Tag

TAG = Tag("billing", "Claims, 837P exports, remittances and the ledger.")
routers = (claims, ledger, exports, acknowledgements, acknowledged_claims, remittances, decisions, originals)
