"""Queries for sessions. The cross-tenant ones fill the gate of every process."""

from __future__ import annotations

import datetime as dt
import uuid
from functools import cache
from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.db.system import SystemUnitOfWork
from app.core.filters import Shape, chosen, equal, shape_of
from app.core.ids import TenantId
from app.core.pagination import Page, Paging, keyset
from app.core.repository import Repository
from app.core.sessions.models import UserSession
from app.core.tenants.models import Tenant, TenantStatus

_sessions: Any = UserSession.__table__
_tenants: Any = Tenant.__table__


def _given(column: str) -> Any:
    return _sessions.c[column] == sa.bindparam(column, type_=_sessions.c[column].type)


def _after(column: str, name: str) -> Any:
    return _sessions.c[column] > sa.bindparam(name, type_=_sessions.c[column].type)


_ACTIVE = (
    _given("tenant_id"),
    # A literal, so that the planner may use the partial index of active sessions.
    _sessions.c.status == sa.literal_column("'active'"),
    _sessions.c.deleted_at.is_(None),
)
_ACTIVE_OF_USER = CompiledStatement(
    sa.select(*_sessions.c)
    .where(
        *_ACTIVE,
        _given("user_id"),
        sa.or_(_after("rotated_at", "since"), sa.and_(_sessions.c.locks_itself, _after("expires_at", "unexpired"))),
    )
    .order_by(_sessions.c.id)
    .with_for_update()
)
_ENDED = CompiledStatement(
    sa.select(_sessions.c.id).where(_sessions.c.ended_at > sa.bindparam("since", type_=_sessions.c.ended_at.type))
)
_CLOSED_TENANTS = CompiledStatement(
    sa.select(_tenants.c.id).where(
        sa.or_(_tenants.c.status == TenantStatus.SUSPENDED.value, _tenants.c.deleted_at.is_not(None))
    )
)


class SessionRepository(Repository[UserSession]):
    entity = UserSession

    async def lock_active_of_user(
        self, tenant_id: TenantId, user_id: uuid.UUID, since: dt.datetime, unexpired: dt.datetime
    ) -> list[UserSession]:
        """Sessions that may still give access, locked in the order of ids.

        They were refreshed after `since`, or they are on a device that locks itself and expire after `unexpired`.
        """
        values = {"tenant_id": tenant_id, "user_id": user_id, "since": since, "unexpired": unexpired}
        return self._built(await self.uow.fetch(_ACTIVE_OF_USER, values))

    async def list_living(
        self,
        tenant_id: TenantId,
        paging: Paging,
        now: dt.datetime,
        idle: dt.timedelta,
        device_idle: dt.timedelta,
        **filters: Any,
    ) -> Page[UserSession]:
        """A page of the sessions that a refresh would prolong. `filters` are `user_id` and `device_id`."""
        given = chosen(filters)
        statement = _living(shape_of(given), paging.ascending, paging.cursor is not None)
        values = {
            **given,
            **paging.values(),
            "tenant_id": tenant_id,
            "now": now,
            "since": now - idle,
            "device_since": now - device_idle,
        }
        shown, next_cursor = paging.split(await self.uow.fetch(statement, values))
        return Page[Any].model_construct(items=self._built(shown), next_cursor=next_cursor)


@cache
def _living(filters: Shape, ascending: bool, after: bool) -> CompiledStatement:
    rests_as_others = _after("rotated_at", "since")
    rests_on_its_device = sa.and_(_sessions.c.locks_itself, _after("rotated_at", "device_since"))
    living = sa.select(*_sessions.c).where(
        *_ACTIVE,
        _after("expires_at", "now"),
        sa.or_(rests_as_others, rests_on_its_device),
        *(equal(_sessions.c[name], name, several=several) for name, several in filters),
    )
    return CompiledStatement(keyset(living, _sessions.c.created_at, _sessions.c.id, ascending=ascending, after=after))


async def get_cross_tenant_for_admin_only_ended_sessions(
    uow: SystemUnitOfWork, since: dt.datetime
) -> frozenset[uuid.UUID]:
    """Ids of the sessions of all tenants that were ended after `since`. A poll: exempt from audit."""
    return frozenset(row[0] for row in await uow.fetch(_ENDED, {"since": since}))


async def get_cross_tenant_for_admin_only_closed_tenants(uow: SystemUnitOfWork) -> frozenset[uuid.UUID]:
    """Ids of suspended and deleted tenants. A poll: exempt from audit."""
    return frozenset(row[0] for row in await uow.fetch(_CLOSED_TENANTS, {}))
