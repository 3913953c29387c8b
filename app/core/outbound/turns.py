"""Turns: units of work about one thing run one after another. Each sees what the earlier ones wrote."""

from __future__ import annotations

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.db.uow import UnitOfWork

_TAKE = CompiledStatement(
    sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(sa.bindparam("key", type_=sa.Text), 0)))
)


async def take_turn(uow: UnitOfWork, *thing: object) -> None:
    """Wait until no other unit of work of the tenant has the turn of `thing`. Keep the turn until this one ends.

    `thing` begins with the name of its domain. Without a turn, the unique key would refuse a duplicate only when
    it is written. The unit of work would then be lost.
    """
    await uow.fetch(_TAKE, {"key": "|".join(map(str, (uow.tenant_id, *thing)))})
