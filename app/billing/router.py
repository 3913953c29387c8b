"""All routers of billing."""

from __future__ import annotations

from app.billing.claims.router import router as claims
from app.billing.exports.router import router as exports
from app.core.tags import Tag

TAG = Tag("billing", "Claims and 837P exports.")
routers = (claims, exports)
