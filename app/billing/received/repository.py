"""Queries for received files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.billing.received.models import ReceivedFile
from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository

_files: Any = ReceivedFile.__table__
_BY_HASH = CompiledStatement(
    sa.select(*_files.c).where(
        _files.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        _files.c.sha256 == sa.any_(sa.bindparam("hashes", type_=ARRAY(sa.Text()))),
    )
)


class ReceivedFileRepository(Repository[ReceivedFile]):
    entity = ReceivedFile
    filters = ("kind",)

    async def list_by_hash(self, tenant_id: TenantId, hashes: Sequence[str]) -> dict[str, ReceivedFile]:
        """The files among those with these SHA-256 that came before."""
        found = self._built(await self.uow.fetch(_BY_HASH, {"tenant_id": tenant_id, "hashes": list(hashes)}))
        return {one.sha256: one for one in found}
