"""Queries for worklists. Each page is one statement, and the claims before it are not read."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.billing.claims.models import Claim
from app.billing.claims.standing import BY_SERVICE_DATE, UNSENT, served_or_last
from app.billing.denials.models import Denial
from app.billing.payers.models import PayerRecord
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.filters import Shape, chosen, condition, shape_of
from app.core.ids import TenantId
from app.core.pagination import Page, Paging, keyset
from app.core.users.public import User

_claims: Any = Claim.__table__
_denials: Any = Denial.__table__
_payers: Any = PayerRecord.__table__
_users: Any = User.__table__
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)
_AT = sa.bindparam("at", type_=sa.TIMESTAMP(timezone=True))
_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_SHOWN = (
    "id", "version", "created_at", "updated_at", "deleted_at", "incident_id", "patient_id", "claim_number", "status",
    "payer_sequence", "payer_record_id", "payer_name", "level_of_service", "charge_amount", "service_date",
    "stale_since", "assigned_to_user_id", "snoozed_until",
)  # fmt: skip
_FILTERS = ("payer_record_id", "assigned_to_user_id")
_RANGES = ("created_at", "service_date")
_AWAKE = sa.or_(_claims.c.snoozed_until.is_(None), _claims.c.snoozed_until <= _AT)
_FIRST_DAY, _LAST_DAY = dt.date(1, 1, 1), dt.date(9999, 12, 31)
_NO_ID = uuid.UUID(int=0)
_STATEMENTS: dict[tuple[Any, ...], CompiledStatement] = {}
_WITH_LIMITS = CompiledStatement(
    sa.select(_payers.c.id, _payers.c.timely_filing_days).where(
        _payers.c.tenant_id == _TENANT, _payers.c.timely_filing_days.is_not(None), _payers.c.deleted_at.is_(None)
    )
)
# One row per payer. A deadline is the day of service and the payer's days: within one payer, the order of deadlines is
# the order of days, which an index has.
_LIMITS = (
    sa.func.unnest(
        sa.bindparam("payer_ids", type_=ARRAY(sa.Uuid())),
        sa.bindparam("days", type_=ARRAY(sa.Integer())),
        sa.bindparam("after_days", type_=ARRAY(sa.Date())),
        sa.bindparam("until_days", type_=ARRAY(sa.Date())),
    )
    .table_valued(
        sa.column("payer_id", sa.Uuid()),
        sa.column("days", sa.Integer()),
        sa.column("after_day", sa.Date()),
        sa.column("until_day", sa.Date()),
        name="limits",
    )
    .render_derived()
)


@dataclass(frozen=True, slots=True)
class FilingLimit:
    """A payer's time for filing, in days from the day of service."""

    payer_record_id: uuid.UUID
    days: int

    def served_before(self, deadline: dt.date) -> dt.date:
        """The day of service whose deadline is this one."""
        return deadline - dt.timedelta(days=self.days)


class WorklistRepository:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def list_page(
        self, tenant_id: TenantId, paging: Paging, name: str, *, at: dt.datetime, snoozed: bool, **filters: Any
    ) -> Page[Any]:
        """Rows of the list `name`. `snoozed`: also claims that rest at the time `at`."""
        given = chosen(filters)
        shape, after = shape_of(given), paging.cursor is not None
        key = (name, shape, paging.sorted_by, paging.ascending, after, snoozed)
        statement = _STATEMENTS.get(key)
        if statement is None:
            statement = _STATEMENTS[key] = _listed(name, shape, paging, snoozed=snoozed)
        values = {**given, **paging.values(), "tenant_id": tenant_id, "at": at}
        return _page(paging, await self._uow.fetch(statement, values))

    async def list_limits(self, tenant_id: TenantId) -> list[FilingLimit]:
        """Payers whose time for filing is known."""
        rows = await self._uow.fetch(_WITH_LIMITS, {"tenant_id": tenant_id})
        return [FilingLimit(row["id"], row["timely_filing_days"]) for row in rows]

    async def list_due(
        self,
        tenant_id: TenantId,
        paging: Paging,
        limits: Sequence[FilingLimit],
        *,
        due_before: dt.date,
        at: dt.datetime,
        snoozed: bool,
        **filters: Any,
    ) -> Page[Any]:
        """Unsent claims whose last day for filing is before `due_before`, the nearest first."""
        given = chosen(filters)
        shape = shape_of(given)
        key = ("timely_filing", shape, snoozed)
        statement = _STATEMENTS.get(key)
        if statement is None:
            statement = _STATEMENTS[key] = _due(shape, snoozed=snoozed)
        values = paging.values()
        after = values.get("after_at")
        values |= _bounds(limits, due_before) | {
            "after_days": [_FIRST_DAY if after is None else limit.served_before(after) for limit in limits],
            "after_id": values.get("after_id", _NO_ID),
        }
        return _page(paging, await self._uow.fetch(statement, {**given, **values, "tenant_id": tenant_id, "at": at}))

    async def list_appeals_due(
        self,
        tenant_id: TenantId,
        paging: Paging,
        *,
        due_before: dt.date,
        at: dt.datetime,
        snoozed: bool,
        **filters: Any,
    ) -> Page[Any]:
        """Claims with a refusal whose last day for an appeal is before `due_before`, the nearest first."""
        given = chosen(filters)
        shape = shape_of(given)
        key = ("appeal_due", shape, snoozed)
        statement = _STATEMENTS.get(key)
        if statement is None:
            statement = _STATEMENTS[key] = _appeals_due(shape, snoozed=snoozed)
        values = {"after_at": _FIRST_DAY, "after_id": _NO_ID, **paging.values()}
        values |= {**given, "tenant_id": tenant_id, "at": at, "due_before": due_before}
        return _page(paging, await self._uow.fetch(statement, values))

    async def count(
        self,
        tenant_id: TenantId,
        limits: Sequence[FilingLimit],
        *,
        due_before: dt.date,
        at: dt.datetime,
        user_id: uuid.UUID | None,
    ) -> Mapping[str, int]:
        """How many awake claims each list has, by its name, and how many are the user's, by `<name>_mine`."""
        bounds = {**_bounds(limits, due_before), "after_days": [_FIRST_DAY] * len(limits)}
        values = {**bounds, "tenant_id": tenant_id, "at": at, "user_id": user_id, "due_before": due_before}
        row = await self._uow.fetch_row(_COUNTS, values)
        return dict(row)


def _bounds(limits: Sequence[FilingLimit], due_before: dt.date) -> dict[str, Any]:
    return {
        "payer_ids": [limit.payer_record_id for limit in limits],
        "days": [limit.days for limit in limits],
        "until_days": [limit.served_before(due_before) for limit in limits],
    }


def _page(paging: Paging, rows: Sequence[Any]) -> Page[Any]:
    shown, next_cursor = paging.split(rows)
    return Page[Any].model_construct(items=list(shown), next_cursor=next_cursor)


def _listed(name: str, shape: Shape, paging: Paging, *, snoozed: bool) -> CompiledStatement:
    day = served_or_last(_claims)
    key = _claims.c.created_at if paging.sorted_by == "created_at" else day
    found = keyset(
        sa.select(*(_claims.c[column] for column in _SHOWN), day.label("sort_day")).where(
            _claims.c.tenant_id == _TENANT, BY_SERVICE_DATE[name], *_narrowed(shape, snoozed=snoozed)
        ),
        key,
        _claims.c.id,
        ascending=paging.ascending,
        after=paging.cursor is not None,
    ).subquery("found")
    order = [found.c.created_at if key is not day else found.c.sort_day, found.c.id]
    return CompiledStatement(_named(found).order_by(*(one if paging.ascending else one.desc() for one in order)))


def _due(shape: Shape, *, snoozed: bool) -> CompiledStatement:
    after = sa.tuple_(_LIMITS.c.after_day, sa.bindparam("after_id", type_=sa.Uuid))
    of_payer = (
        sa.select(*(_claims.c[column] for column in _SHOWN))
        .where(
            _claims.c.tenant_id == _TENANT,
            _claims.c.payer_record_id == _LIMITS.c.payer_id,
            UNSENT,
            sa.tuple_(_claims.c.service_date, _claims.c.id) > after,
            _claims.c.service_date < _LIMITS.c.until_day,
            *_narrowed(shape, snoozed=snoozed),
        )
        .order_by(_claims.c.service_date, _claims.c.id)
        .limit(_LIMIT)
        .lateral("of_payer")
    )
    deadline = (of_payer.c.service_date + _LIMITS.c.days).label("sort_day")
    found = (
        sa.select(*of_payer.c, deadline)
        .select_from(_LIMITS.join(of_payer, sa.true()))
        .order_by(deadline, of_payer.c.id)
        .limit(_LIMIT)
        .subquery("found")
    )
    return CompiledStatement(_named(found).order_by(found.c.sort_day, found.c.id))


def _refused(*columns: Any) -> sa.Select[Any]:
    """Claims with a refusal that may still be appealed, and must be soon."""
    return (
        sa.select(*columns)
        .select_from(
            _denials.join(
                _claims, sa.and_(_claims.c.tenant_id == _denials.c.tenant_id, _claims.c.id == _denials.c.claim_id)
            )
        )
        .where(
            _denials.c.tenant_id == _TENANT,
            _denials.c.status == sa.literal_column("'open'"),
            _denials.c.appealable,
            _denials.c.deleted_at.is_(None),
            _denials.c.appeal_by < sa.bindparam("due_before", type_=sa.Date),
            _claims.c.deleted_at.is_(None),
        )
    )


def _appeals_due(shape: Shape, *, snoozed: bool) -> CompiledStatement:
    place = sa.tuple_(_denials.c.appeal_by, _denials.c.claim_id)
    after = sa.tuple_(sa.bindparam("after_at", type_=sa.Date), sa.bindparam("after_id", type_=sa.Uuid))
    found = (
        _refused(*(_claims.c[column] for column in _SHOWN), _denials.c.appeal_by.label("sort_day"))
        .where(place > after, *_narrowed(shape, snoozed=snoozed))
        .order_by(_denials.c.appeal_by, _denials.c.claim_id)
        .limit(_LIMIT)
        .subquery("found")
    )
    return CompiledStatement(_named(found).order_by(found.c.sort_day, found.c.id))


def _named(found: Any) -> sa.Select[Any]:
    """The claims with their assignees' names and their last days for filing."""
    return sa.select(
        *found.c,
        _users.c.display_name.label("assignee_name"),
        (found.c.service_date + _payers.c.timely_filing_days).label("file_by"),
    ).select_from(
        found.outerjoin(
            _users, sa.and_(_users.c.tenant_id == _TENANT, _users.c.id == found.c.assigned_to_user_id)
        ).outerjoin(_payers, sa.and_(_payers.c.tenant_id == _TENANT, _payers.c.id == found.c.payer_record_id))
    )


def _narrowed(shape: Shape, *, snoozed: bool) -> list[sa.ColumnElement[bool]]:
    conditions = [] if snoozed else [_AWAKE]
    for name, several in shape:
        found = condition(_claims, name, several=several, filters=_FILTERS, ranges=_RANGES)
        if found is None:
            raise TypeError(f"worklists have no filter {name}")
        conditions.append(found)
    return conditions


def _counted() -> CompiledStatement:
    mine = _claims.c.assigned_to_user_id == sa.bindparam("user_id", type_=sa.Uuid)
    counts = []
    for name, where in BY_SERVICE_DATE.items():
        rows = sa.select(sa.func.count().label("n"), sa.func.count().filter(mine).label("mine")).where(
            _claims.c.tenant_id == _TENANT, where, _AWAKE
        )
        counts.append((name, rows.subquery(name)))
    due = (
        sa.select(sa.func.count().label("n"), sa.func.count().filter(mine).label("mine"))
        .select_from(_LIMITS.join(_claims, _claims.c.payer_record_id == _LIMITS.c.payer_id))
        .where(_claims.c.tenant_id == _TENANT, UNSENT, _claims.c.service_date < _LIMITS.c.until_day, _AWAKE)
    )
    counts.append(("timely_filing", due.subquery("timely_filing")))
    appeals = _refused(sa.func.count().label("n"), sa.func.count().filter(mine).label("mine")).where(_AWAKE)
    counts.append(("appeal_due", appeals.subquery("appeal_due")))
    columns = [column for name, rows in counts for column in (rows.c.n.label(name), rows.c.mine.label(f"{name}_mine"))]
    return CompiledStatement(sa.select(*columns))


_COUNTS = _counted()
