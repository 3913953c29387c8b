"""Queries for messages; the cross-tenant one serves the provider's notices."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.db.system import SystemUnitOfWork
from app.core.ids import TenantId
from app.core.repository import Repository
from app.email.messages.models import EmailMessage

_table: Any = EmailMessage.__table__


def _bind(name: str, column: Any) -> Any:
    return sa.bindparam(name, type_=column.type)


_BY_CAUSE = CompiledStatement(
    sa.select(_table.c.id).where(
        _table.c.tenant_id == _bind("tenant_id", _table.c.tenant_id),
        _table.c.cause_id == _bind("cause_id", _table.c.cause_id),
        _table.c.template == _bind("template", _table.c.template),
    )
)
_BY_TAG = CompiledStatement(
    sa.select(_table.c.id, _table.c.tenant_id).where(_table.c.id == _bind("message_id", _table.c.id))
)
_BY_PROVIDER = CompiledStatement(
    sa.select(_table.c.id, _table.c.tenant_id).where(
        _table.c.provider_message_id == _bind("provider_message_id", _table.c.provider_message_id)
    )
)


class MessageRepository(Repository[EmailMessage]):
    entity = EmailMessage
    filters = ("status", "template")
    ranges = ("created_at",)

    async def find_by_cause(self, tenant_id: TenantId, cause_id: uuid.UUID, template: str) -> uuid.UUID | None:
        """The id of the one message that `cause_id` caused with that template."""
        values = {"tenant_id": tenant_id, "cause_id": cause_id, "template": template}
        row = await self.uow.fetch_row(_BY_CAUSE, values)
        return None if row is None else row["id"]


async def get_cross_tenant_for_admin_only_by_notice(
    uow: SystemUnitOfWork, message_id: uuid.UUID | None, provider_message_id: str | None
) -> Any:
    """(id, tenant_id) of the message with the notice's tag, or else with its provider id. None without a match.

    Only notices use it, after their signature was verified. The receipt's transition in the tenant is the audit entry.
    """
    found = None
    if message_id is not None:
        found = await uow.fetch_row(_BY_TAG, {"message_id": message_id})
    if found is None and provider_message_id is not None:
        found = await uow.fetch_row(_BY_PROVIDER, {"provider_message_id": provider_message_id})
    return found
