"""Queries for the people who wrote a chart, in the audit log."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.core.audit.actions import AuditAction
from app.core.audit.models import AuditEvent
from app.core.db.revisions import ChartRevision
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.ids import TenantId, least_id_at

_audit: Any = AuditEvent.__table__
_revisions: Any = ChartRevision.__table__
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)
_ENTRIES = sa.select(_revisions.c.entity_id).where(
    _revisions.c.tenant_id == _TENANT, _revisions.c.incident_id == sa.bindparam("incident_id", type_=sa.Uuid)
)
_AUTHORS = CompiledStatement(
    sa.select(_audit.c.actor_user_id)
    .distinct()
    .where(
        _audit.c.tenant_id == _TENANT,
        _audit.c.entity_id.in_(_ENTRIES),
        _audit.c.action == sa.any_(sa.bindparam("actions", type_=ARRAY(sa.Text()))),
        _audit.c.id >= sa.bindparam("lowest", type_=sa.Uuid),
        _audit.c.actor_user_id.is_not(None),
    )
)
_GRACE = dt.timedelta(days=1)


class AuthorRepository:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def list_all(
        self, tenant_id: TenantId, incident_id: uuid.UUID, actions: Sequence[AuditAction], *, since: dt.datetime
    ) -> list[uuid.UUID]:
        """Everybody who did one of `actions` to the incident or an entry of its chart, deleted ones included.

        `since` is when the chart was opened. The bound on the time-ordered id keeps the query out of the log's earlier
        months. It has a day of grace for clocks that differ.
        """
        values = {
            "tenant_id": tenant_id,
            "incident_id": incident_id,
            "actions": list(actions),
            "lowest": least_id_at(since - _GRACE),
        }
        return [row[0] for row in await self._uow.fetch(_AUTHORS, values)]
