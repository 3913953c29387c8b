"""Writes audit events that belong to no row change, such as login attempts and processed webhooks."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from app.core.audit.actions import AuditAction
from app.core.audit.models import AuditEvent
from app.core.context import current_request_id
from app.core.db.sql import CompiledStatement
from app.core.db.uow import UnitOfWork
from app.core.ids import new_id

_table: Any = AuditEvent.__table__
_COLUMNS = (
    "id", "tenant_id", "actor_user_id", "entity_type", "entity_id", "action", "changed_fields_json", "metadata_json",
    "request_id",
)  # fmt: skip
_INSERT = CompiledStatement(
    sa.insert(_table).values({name: sa.bindparam(name, type_=_table.c[name].type) for name in _COLUMNS})
)


async def record(
    uow: UnitOfWork,
    action: AuditAction,
    *,
    entity_type: str,
    entity_id: uuid.UUID,
    actor_user_id: uuid.UUID | None = None,
    metadata: dict[str, Any] | None = None,
) -> None:
    """Write one audit event in `uow`'s transaction. `metadata` may hold no PHI."""
    await uow.fetch(
        _INSERT,
        {
            "id": new_id(),
            "tenant_id": uow.tenant_id,
            "actor_user_id": actor_user_id or uow.principal.actor_id,
            "entity_type": entity_type,
            "entity_id": entity_id,
            "action": action,
            "changed_fields_json": {},
            "metadata_json": metadata,
            "request_id": current_request_id(),
        },
    )
