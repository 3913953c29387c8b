"""Queries for claims that a change of prices concerns, and for the report of what became of them."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from app.billing.claims.lifecycle import ClaimStatus
from app.billing.claims.models import Claim, ClaimLine
from app.billing.repricing.models import ClaimRepricing
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.ids import TenantId
from app.core.repository import Repository

OPEN = (ClaimStatus.PENDING_REVIEW, ClaimStatus.READY_TO_EXPORT)
"""Claims that nobody has sent."""
_claims: Any = Claim.__table__
_lines: Any = ClaimLine.__table__
_PAYER = sa.bindparam("payer_record_id", type_=sa.Uuid)
_PRICED = CompiledStatement(
    sa.select(_claims.c.id)
    .where(
        _claims.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        sa.or_(*(_claims.c.status == status.value for status in OPEN)),
        _claims.c.deleted_at.is_(None),
        _claims.c.service_date.is_not(None),
        sa.or_(_PAYER.is_(None), _claims.c.payer_record_id == _PAYER),
        sa.exists().where(
            _lines.c.tenant_id == _claims.c.tenant_id,
            _lines.c.claim_id == _claims.c.id,
            sa.or_(_lines.c.fee_item_id.is_not(None), _lines.c.charge == sa.literal_column("0")),
            _lines.c.deleted_at.is_(None),
        ),
    )
    .order_by(_claims.c.id)
)


class PricedClaimRepository:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def list_open(self, tenant_id: TenantId, payer_record_id: uuid.UUID | None) -> list[uuid.UUID]:
        """Ids of open claims with a charge from a fee schedule, or with none yet: of one payer, or of all."""
        rows = await self._uow.fetch(_PRICED, {"tenant_id": tenant_id, "payer_record_id": payer_record_id})
        return [row["id"] for row in rows]


class RepricingRepository(Repository[ClaimRepricing]):
    entity = ClaimRepricing
    filters = ("schedule_id", "claim_id")
