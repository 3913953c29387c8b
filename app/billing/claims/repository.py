"""Queries for claims and their lines."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.billing.claims.models import Claim, ClaimLine
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.ids import TenantId
from app.core.repository import Repository

_claims: Any = Claim.__table__
_lines: Any = ClaimLine.__table__
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)
_IDS = sa.bindparam("ids", type_=ARRAY(sa.Uuid()))
_NEXT_NUMBER = CompiledStatement(sa.select(sa.Sequence("claim_numbers").next_value()))
_LIVE_CLAIMS = (
    sa.select(*_claims.c)
    .where(_claims.c.tenant_id == _TENANT, _claims.c.id == sa.any_(_IDS), _claims.c.deleted_at.is_(None))
    .order_by(_claims.c.id)
)
_BY_IDS = CompiledStatement(_LIVE_CLAIMS)
_BY_IDS_FOR_UPDATE = CompiledStatement(_LIVE_CLAIMS.with_for_update())
_NAMED_FOR_UPDATE = CompiledStatement(
    sa.select(*_claims.c)
    .where(
        _claims.c.tenant_id == _TENANT,
        sa.or_(
            _claims.c.id == sa.any_(_IDS),
            _claims.c.claim_number == sa.any_(sa.bindparam("numbers", type_=ARRAY(sa.Text()))),
        ),
        _claims.c.deleted_at.is_(None),
    )
    .order_by(_claims.c.id)
    .with_for_update()
)
_LINES_OF = CompiledStatement(
    sa.select(*_lines.c)
    .where(_lines.c.tenant_id == _TENANT, _lines.c.claim_id == sa.any_(_IDS), _lines.c.deleted_at.is_(None))
    .order_by(_lines.c.claim_id, _lines.c.line_number)
)
_LAST_LINE_NUMBER = CompiledStatement(
    sa.select(sa.func.coalesce(sa.func.max(_lines.c.line_number), 0)).where(
        _lines.c.tenant_id == _TENANT, _lines.c.claim_id == sa.bindparam("claim_id", type_=sa.Uuid)
    )
)


async def next_claim_number(uow: ReadUnitOfWork) -> str:
    """The next CLM01, from a sequence that all agencies share. Upper case, at most 20 characters."""
    row = await uow.fetch_row(_NEXT_NUMBER, {})
    return f"C{row[0]:09}"


class ClaimRepository(Repository[Claim]):
    entity = Claim
    filters = ("status", "incident_id", "patient_id", "payer_id", "account_id")
    ranges = ("created_at",)

    async def list_by_ids(self, tenant_id: TenantId, ids: Sequence[uuid.UUID]) -> list[Claim]:
        """The live claims among `ids`, by id."""
        return await self._list(_BY_IDS, tenant_id, ids)

    async def list_for_update(self, tenant_id: TenantId, ids: Sequence[uuid.UUID]) -> list[Claim]:
        """The same claims as `list_by_ids`, locked in that order until the end of the unit of work."""
        return await self._list(_BY_IDS_FOR_UPDATE, tenant_id, ids)

    async def list_named_for_update(
        self, tenant_id: TenantId, ids: Sequence[uuid.UUID], numbers: Sequence[str]
    ) -> list[Claim]:
        """The live claims with these ids or numbers, locked by id until the end of the unit of work."""
        values = {"tenant_id": tenant_id, "ids": list(ids), "numbers": list(numbers)}
        return self._built(await self.uow.fetch(_NAMED_FOR_UPDATE, values))

    async def find_by_number_for_update(self, tenant_id: TenantId, number: str) -> Claim | None:
        """The live claim with this number, locked until the end of the unit of work."""
        return next(iter(await self.list_named_for_update(tenant_id, [], [number])), None)

    async def _list(self, statement: CompiledStatement, tenant_id: TenantId, ids: Sequence[uuid.UUID]) -> list[Claim]:
        return self._built(await self.uow.fetch(statement, {"tenant_id": tenant_id, "ids": list(ids)}))


class ClaimLineRepository(Repository[ClaimLine]):
    entity = ClaimLine
    filters = ("claim_id",)

    async def list_of_claims(
        self, tenant_id: TenantId, claim_ids: Sequence[uuid.UUID]
    ) -> dict[uuid.UUID, list[ClaimLine]]:
        """Live lines of each claim by number; every id has a list."""
        found: dict[uuid.UUID, list[ClaimLine]] = {claim_id: [] for claim_id in claim_ids}
        for line in self._built(await self.uow.fetch(_LINES_OF, {"tenant_id": tenant_id, "ids": list(claim_ids)})):
            found[line.claim_id].append(line)
        return found

    async def last_number(self, tenant_id: TenantId, claim_id: uuid.UUID) -> int:
        """The highest line number ever used in the claim, deleted lines included; 0 when there was none."""
        row = await self.uow.fetch_row(_LAST_LINE_NUMBER, {"tenant_id": tenant_id, "claim_id": claim_id})
        number: int = row[0]
        return number
