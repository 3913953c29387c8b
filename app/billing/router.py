"""All routers of billing."""

from __future__ import annotations

from app.billing.claims.router import router as claims
from app.billing.exemptions.router import router as exemptions
from app.billing.exports.router import router as exports
from app.billing.fee_schedules.router import router as fee_schedules
from app.billing.repricing.router import router as repricing
from app.core.tags import Tag

TAG = Tag("billing", "Claims and 837P exports.")
routers = (claims, exports, fee_schedules, repricing, exemptions)
