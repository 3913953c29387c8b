"""Which charts a received file is about."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from app.billing.acknowledgements.models import ClaimAcknowledgement
from app.billing.claims.models import Claim
from app.billing.remittances.models import Remittance, RemittanceClaim
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.ids import TenantId

_claims: Any = Claim.__table__
_remittances: Any = Remittance.__table__
_decisions: Any = RemittanceClaim.__table__
_acknowledgements: Any = ClaimAcknowledgement.__table__
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)
_FILE = sa.bindparam("file_id", type_=sa.Uuid)
_NAMED = sa.union(
    sa.select(_decisions.c.claim_id)
    .join(
        _remittances,
        sa.and_(_remittances.c.tenant_id == _decisions.c.tenant_id, _remittances.c.id == _decisions.c.remittance_id),
    )
    .where(_remittances.c.tenant_id == _TENANT, _remittances.c.file_id == _FILE),
    sa.select(_acknowledgements.c.claim_id).where(
        _acknowledgements.c.tenant_id == _TENANT, _acknowledgements.c.file_id == _FILE
    ),
)
_INCIDENTS = CompiledStatement(
    sa.select(_claims.c.incident_id).distinct().where(_claims.c.tenant_id == _TENANT, _claims.c.id.in_(_NAMED))
)


class OriginalRepository:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def list_incident_ids(self, tenant_id: TenantId, file_id: uuid.UUID) -> list[uuid.UUID]:
        """The charts of the claims that were found in the file."""
        rows = await self._uow.fetch(_INCIDENTS, {"tenant_id": tenant_id, "file_id": file_id})
        return [row[0] for row in rows]
