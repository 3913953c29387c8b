"""Events of the tenants domain."""

from __future__ import annotations

from app.core.events import Topic

TENANT_UPDATED = Topic("tenant.updated", "The agency's profile changed, or it was suspended or resumed.")

TOPICS = (TENANT_UPDATED,)
