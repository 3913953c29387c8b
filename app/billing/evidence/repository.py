"""Queries for derivations and overrides."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.billing.evidence.models import ClaimDerivation, ClaimOverride
from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository

_table: Any = ClaimDerivation.__table__
_OF_CLAIMS = CompiledStatement(
    sa.select(*_table.c).where(
        _table.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        _table.c.claim_id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Uuid()))),
        _table.c.deleted_at.is_(None),
    )
)


class DerivationRepository(Repository[ClaimDerivation]):
    entity = ClaimDerivation
    filters = ("claim_id",)

    async def find_of_claim(self, tenant_id: TenantId, claim_id: uuid.UUID) -> ClaimDerivation | None:
        return (await self.list_of_claims(tenant_id, [claim_id])).get(claim_id)

    async def list_of_claims(
        self, tenant_id: TenantId, claim_ids: Sequence[uuid.UUID]
    ) -> dict[uuid.UUID, ClaimDerivation]:
        """The derivations by claim, in one statement. A claim that was entered by hand has none."""
        rows = await self.uow.fetch(_OF_CLAIMS, {"tenant_id": tenant_id, "ids": list(claim_ids)})
        return {one.claim_id: one for one in self._built(rows)}


class OverrideRepository(Repository[ClaimOverride]):
    entity = ClaimOverride
    filters = ("claim_id",)
