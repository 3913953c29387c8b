"""Queries for locked charts that have no claim."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.billing.claims.models import Claim
from app.billing.exemptions.models import ClaimExemption
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.filters import Shape, chosen, condition, shape_of
from app.core.ids import TenantId
from app.core.pagination import Page, Paging, keyset
from app.ems.public import LOCKED_TRIPS

_claims: Any = Claim.__table__
_exemptions: Any = ClaimExemption.__table__
_FILTERS = ("incident_number",)
_RANGES = ("created_at", "dispatch_time")
_STATEMENTS: dict[tuple[Any, ...], CompiledStatement] = {}
_BILLED = sa.exists().where(
    _claims.c.tenant_id == LOCKED_TRIPS.c.tenant_id,
    _claims.c.incident_id == LOCKED_TRIPS.c.incident_id,
    sa.or_(LOCKED_TRIPS.c.patient_id.is_(None), _claims.c.patient_id == LOCKED_TRIPS.c.patient_id),
    _claims.c.deleted_at.is_(None),
)
_OF_TRIP = (
    _exemptions.c.tenant_id == LOCKED_TRIPS.c.tenant_id,
    _exemptions.c.incident_id == LOCKED_TRIPS.c.incident_id,
    sa.or_(_exemptions.c.patient_id.is_(None), _exemptions.c.patient_id == LOCKED_TRIPS.c.patient_id),
    _exemptions.c.deleted_at.is_(None),
)
_EXEMPTION = (
    sa.select(_exemptions.c.id.label("exemption_id"), _exemptions.c.reason, _exemptions.c.origin)
    .where(*_OF_TRIP)
    .order_by(_exemptions.c.patient_id.nulls_last())
    .limit(sa.literal_column("1"))
    .lateral("exemption")
)
_NONE = (
    sa.null().label("exemption_id"),
    sa.null().label("reason"),
    sa.null().label("origin"),
)


class ReconciliationRepository:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def list_page(self, tenant_id: TenantId, paging: Paging, *, exempt: bool, **filters: Any) -> Page[Any]:
        """Trips without a claim: those with a reason, or those without. Their charts are noted for the access log."""
        given = chosen(filters)
        shape, after = shape_of(given), paging.cursor is not None
        key = (exempt, shape, paging.ascending, after)
        statement = _STATEMENTS.get(key)
        if statement is None:
            statement = _STATEMENTS[key] = _statement(exempt, shape, paging.ascending, after=after)
        rows = await self._uow.fetch(statement, {**given, **paging.values(), "tenant_id": tenant_id})
        shown, next_cursor = paging.split(rows, "trip_id")
        for row in shown:
            self._uow.note_phi("incident", row["incident_id"])
        return Page[Any].model_construct(items=list(shown), next_cursor=next_cursor)


def _statement(exempt: bool, shape: Shape, ascending: bool, *, after: bool) -> CompiledStatement:
    trips = LOCKED_TRIPS.c
    if exempt:
        query = sa.select(*trips, *_EXEMPTION.c).select_from(LOCKED_TRIPS.join(_EXEMPTION, sa.true()))
    else:
        query = sa.select(*trips, *_NONE).where(sa.not_(sa.exists().where(*_OF_TRIP)))
    query = query.where(
        trips.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        sa.not_(_BILLED),
        *(_condition(name, several) for name, several in shape),
    )
    return CompiledStatement(keyset(query, trips.created_at, trips.trip_id, ascending=ascending, after=after))


def _condition(name: str, several: bool) -> sa.ColumnElement[bool]:
    found = condition(LOCKED_TRIPS, name, several=several, filters=_FILTERS, ranges=_RANGES)
    if found is None:
        raise TypeError(f"reconciliation has no filter {name}")
    return found
