"""Queries for appeals."""

from __future__ import annotations

import uuid

from app.billing.appeals.lifecycle import AppealStatus
from app.billing.appeals.models import Appeal
from app.core.ids import TenantId
from app.core.repository import Repository


class AppealRepository(Repository[Appeal]):
    entity = Appeal
    filters = ("status", "claim_id", "denial_id", "level")
    ranges = ("created_at",)

    async def find_last(self, tenant_id: TenantId, denial_id: uuid.UUID) -> Appeal | None:
        """The highest level that was not withdrawn."""
        found = await self.list_all(tenant_id, denial_id=denial_id)
        standing = [one for one in found if one.status is not AppealStatus.WITHDRAWN]
        return max(standing, key=lambda one: one.level, default=None)
