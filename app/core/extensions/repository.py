"""Queries for external API keys. The cross-tenant one authenticates a key, before any tenant is known."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.db.system import SystemUnitOfWork
from app.core.extensions.models import ExternalApiKey
from app.core.repository import Repository

_keys: Any = ExternalApiKey.__table__
_BY_HASH = CompiledStatement(
    sa.select(_keys.c.id, _keys.c.tenant_id, _keys.c.scopes, _keys.c.expires_at, _keys.c.last_used_on).where(
        _keys.c.secret_hash == sa.bindparam("secret_hash", type_=_keys.c.secret_hash.type),
        _keys.c.deleted_at.is_(None),
    )
)


class ApiKeyRepository(Repository[ExternalApiKey]):
    entity = ExternalApiKey


async def get_cross_tenant_for_admin_only_by_key_hash(uow: SystemUnitOfWork, secret_hash: str) -> Any:
    """The key of a digest; None for an unknown digest and for a revoked key.

    Only the authentication of keys uses it. What the key then does is audited in its tenant.
    """
    return await uow.fetch_row(_BY_HASH, {"secret_hash": secret_hash})
