"""All routers of billing."""

from __future__ import annotations

from app.billing.claims.router import router as claims
from app.billing.exports.router import router as exports

routers = (claims, exports)
