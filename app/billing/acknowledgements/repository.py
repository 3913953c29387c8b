"""Queries for acknowledgements, and for the files that they are about."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.billing.acknowledgements.models import ClaimAcknowledgement
from app.billing.exports.models import ClaimExport, ClaimFileFormat
from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository

_exports: Any = ClaimExport.__table__
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)
_OF_FILE = CompiledStatement(
    sa.select(_exports.c.claim_id, sa.func.coalesce(_exports.c.transaction_set, 1)).where(
        _exports.c.tenant_id == _TENANT,
        _exports.c.format == ClaimFileFormat.X12_837P.value,
        _exports.c.control_number == sa.bindparam("control_number", type_=sa.Integer),
    )
)
_LAST_FILE = CompiledStatement(
    sa.select(_exports.c.claim_id, sa.func.max(_exports.c.control_number))
    .where(_exports.c.tenant_id == _TENANT, _exports.c.claim_id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Uuid()))))
    .group_by(_exports.c.claim_id)
)


class AcknowledgementRepository(Repository[ClaimAcknowledgement]):
    entity = ClaimAcknowledgement
    filters = ("file_id", "claim_id", "verdict", "effect")

    async def sets_of_file(self, tenant_id: TenantId, control_number: int) -> dict[uuid.UUID, int]:
        """The claims that this agency sent in the 837P of this number, each with its transaction set (ST02)."""
        values = {"tenant_id": tenant_id, "control_number": control_number}
        return {row[0]: row[1] for row in await self.uow.fetch(_OF_FILE, values)}

    async def last_files(self, tenant_id: TenantId, claim_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
        """The number of the file that each claim went out in last."""
        rows = await self.uow.fetch(_LAST_FILE, {"tenant_id": tenant_id, "ids": list(claim_ids)})
        return {row[0]: row[1] for row in rows}
