"""Queries for account tokens."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa

from app.core.account_tokens.lifecycle import AccountTokenStatus
from app.core.account_tokens.models import AccountToken, AccountTokenPurpose
from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository

_table: Any = AccountToken.__table__
_OF_USER = (
    _table.c.tenant_id == sa.bindparam("tenant_id", type_=_table.c.tenant_id.type),
    _table.c.user_id == sa.bindparam("user_id", type_=_table.c.user_id.type),
)
_ISSUED = CompiledStatement(
    sa.select(*_table.c)
    .where(*_OF_USER, _table.c.status == AccountTokenStatus.ISSUED.value, _table.c.deleted_at.is_(None))
    .order_by(_table.c.id)
    .with_for_update()
)
_COUNT = CompiledStatement(
    sa.select(sa.func.count()).where(
        *_OF_USER,
        _table.c.purpose == sa.bindparam("purpose", type_=sa.Text),
        _table.c.created_at > sa.bindparam("since", type_=_table.c.created_at.type),
    )
)


class AccountTokenRepository(Repository[AccountToken]):
    entity = AccountToken

    async def lock_issued_of_user(self, tenant_id: TenantId, user_id: uuid.UUID) -> list[AccountToken]:
        """Tokens that were neither used nor withdrawn, also expired ones. Locked in the order of ids."""
        rows = await self.uow.fetch(_ISSUED, {"tenant_id": tenant_id, "user_id": user_id})
        return self._built(rows)

    async def count_since(
        self, tenant_id: TenantId, user_id: uuid.UUID, purpose: AccountTokenPurpose, since: dt.datetime
    ) -> int:
        values = {"tenant_id": tenant_id, "user_id": user_id, "purpose": purpose.value, "since": since}
        count: int = (await self.uow.fetch_row(_COUNT, values))[0]
        return count
