"""Queries for a chart's transitions, in the audit log."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.core.audit.models import AuditEvent
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.ids import TenantId, least_id_at
from app.ems.lifecycle import incident_lifecycle

_audit: Any = AuditEvent.__table__
_TRANSITIONS = CompiledStatement(
    sa.select(_audit.c.id, _audit.c.action, _audit.c.actor_user_id, _audit.c.metadata_json, _audit.c.created_at)
    .where(
        _audit.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        _audit.c.entity_id == sa.bindparam("incident_id", type_=sa.Uuid),
        _audit.c.action == sa.any_(sa.bindparam("actions", type_=ARRAY(sa.Text()))),
        _audit.c.id >= sa.bindparam("lowest", type_=sa.Uuid),
    )
    .order_by(_audit.c.id)
)
_ACTIONS = [transition.audit_action.value for transition in incident_lifecycle.transitions]


class TransitionRepository:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def list_all(self, tenant_id: TenantId, incident_id: uuid.UUID, since: dt.datetime) -> list[Any]:
        """Audit events of the chart's transitions, oldest first. `since` is the time at which the chart was opened.

        The bound on the time-ordered id keeps the query out of the log's earlier months. It allows one day for clocks
        that differ.
        """
        lowest = least_id_at(since - dt.timedelta(days=1))
        values = {"tenant_id": tenant_id, "incident_id": incident_id, "actions": _ACTIONS, "lowest": lowest}
        return await self._uow.fetch(_TRANSITIONS, values)
