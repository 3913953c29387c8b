"""Queries for the message of a notice: first across agencies for the tenant, then within that agency."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.db.system import SystemUnitOfWork
from app.core.errors import NotFound
from app.core.ids import TenantId
from app.core.repository import Repository
from app.email.messages.models import EmailMessage
from app.email.messages.repository import get_cross_tenant_for_admin_only_by_notice
from app.email.notices.ses import Notice, notice_of

_table: Any = EmailMessage.__table__
_OF_NOTICE = CompiledStatement(
    sa.select(_table.c.id)
    .where(
        _table.c.tenant_id == sa.bindparam("tenant_id", type_=_table.c.tenant_id.type),
        sa.or_(
            _table.c.id == sa.bindparam("message_id", type_=_table.c.id.type),
            _table.c.provider_message_id
            == sa.bindparam("provider_message_id", type_=_table.c.provider_message_id.type),
        ),
    )
    .order_by((_table.c.id == sa.bindparam("message_id", type_=_table.c.id.type)).desc().nulls_last())
    .limit(sa.literal_column("1"))
)


class NoticedRepository(Repository[EmailMessage]):
    entity = EmailMessage

    async def get_noticed(self, tenant_id: TenantId, notice: Notice) -> uuid.UUID:
        """The id of the message that carries the notice's tag, or else the provider's id. Raises NotFound."""
        named = {"message_id": notice.message_id, "provider_message_id": notice.provider_message_id}
        row = await self.uow.fetch_row(_OF_NOTICE, {"tenant_id": tenant_id, **named})
        if row is None:
            raise NotFound
        found: uuid.UUID = row["id"]
        return found


async def get_cross_tenant_for_admin_only_agency(uow: SystemUnitOfWork, body: bytes) -> TenantId | None:
    """The agency of the message that a verified notice is about. None for other mail and other news."""
    notice = notice_of(body)
    if notice is None:
        return None
    found = await get_cross_tenant_for_admin_only_by_notice(uow, notice.message_id, notice.provider_message_id)
    return None if found is None else TenantId(found["tenant_id"])
