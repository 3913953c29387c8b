"""The sweep's query: entities whose lease has ended."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.db.system import SystemUnitOfWork
from app.core.outbound.columns import OutboundEntity

SWEEP_BATCH = 500


@cache
def _expired(entity: type[OutboundEntity]) -> CompiledStatement:
    table: Any = entity.__table__
    return CompiledStatement(
        sa.select(table.c.id, table.c.tenant_id)
        .where(table.c.lease_until < sa.bindparam("now", type_=table.c.lease_until.type))
        .order_by(table.c.lease_until)
        .limit(SWEEP_BATCH)
    )


async def get_cross_tenant_for_admin_only_with_expired_lease(
    uow: SystemUnitOfWork, entity: type[OutboundEntity], now: dt.datetime
) -> list[Any]:
    """(id, tenant_id) of entities whose lease has ended. Only the sweep uses it, which is a poller."""
    return await uow.fetch(_expired(entity), {"now": now})
