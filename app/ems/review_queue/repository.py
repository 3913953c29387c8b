"""The query of the queue: waiting reviews with their chart's number and the names of people, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.filters import Shape, chosen, condition, shape_of
from app.core.ids import TenantId
from app.core.pagination import Page, Paging, keyset
from app.core.users.public import User
from app.ems.incidents.models import Incident
from app.ems.late_entries.models import LateEntry
from app.ems.late_entries.repository import PENDING_OF
from app.ems.review.lifecycle import ReviewStatus
from app.ems.review.models import ChartReview

_reviews: Any = ChartReview.__table__
_incidents: Any = Incident.__table__
_users: Any = User.__table__
_late: Any = LateEntry.__table__
_authors, _reviewers = _users.alias("authors"), _users.alias("reviewers")
_QUEUE = (
    sa.select(
        *_reviews.c,
        _incidents.c.incident_number,
        _incidents.c.version.label("incident_version"),
        _authors.c.display_name.label("author_name"),
        _reviewers.c.display_name.label("reviewer_name"),
        sa.select(sa.func.count())
        .where(_late.c.tenant_id == _reviews.c.tenant_id, _late.c.incident_id == _reviews.c.incident_id, PENDING_OF)
        .scalar_subquery()
        .label("late_entries"),
    )
    .select_from(
        _reviews.join(
            _incidents,
            sa.and_(
                _incidents.c.tenant_id == _reviews.c.tenant_id,
                _incidents.c.id == _reviews.c.incident_id,
                _incidents.c.deleted_at.is_(None),
            ),
        )
        .join(_authors, sa.and_(_authors.c.tenant_id == _reviews.c.tenant_id, _authors.c.id == _reviews.c.author_id))
        .outerjoin(
            _reviewers,
            sa.and_(_reviewers.c.tenant_id == _reviews.c.tenant_id, _reviewers.c.id == _reviews.c.reviewer_id),
        )
    )
    .where(
        _reviews.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        _reviews.c.status == ReviewStatus.WAITING.value,
        _reviews.c.deleted_at.is_(None),
    )
)
_STATEMENTS: dict[tuple[Any, ...], CompiledStatement] = {}


@dataclass(frozen=True, slots=True)
class Waiting:
    """One line of the queue. Its `row` has the review's columns and the joined ones."""

    row: Any


class ReviewQueueRepository:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def list_page(
        self, tenant_id: TenantId, paging: Paging, *, unassigned: bool, **filters: Any
    ) -> Page[Waiting]:
        """A page of waiting reviews. A list of values means one of them, None that a filter does not apply."""
        given = chosen(filters)
        shape, ascending, after = shape_of(given), paging.ascending, paging.cursor is not None
        key = (shape, ascending, unassigned, after)
        statement = _STATEMENTS.get(key)
        if statement is None:
            statement = _STATEMENTS[key] = _statement(shape, ascending, unassigned, after=after)
        rows = await self._uow.fetch(statement, {**given, "tenant_id": tenant_id, **paging.values()})
        shown, next_cursor = paging.split(rows)
        return Page[Any].model_construct(items=[Waiting(row) for row in shown], next_cursor=next_cursor)


def _statement(shape: Shape, ascending: bool, unassigned: bool, *, after: bool) -> CompiledStatement:
    query = _QUEUE.where(*(_condition(name, several) for name, several in shape))
    if unassigned:
        query = query.where(_reviews.c.reviewer_id.is_(None))
    return CompiledStatement(keyset(query, _reviews.c.created_at, _reviews.c.id, ascending=ascending, after=after))


def _condition(name: str, several: bool) -> sa.ColumnElement[bool]:
    found = condition(
        _reviews, name, several=several, filters=("reviewer_id", "author_id"), ranges=(_reviews.c.created_at.key,)
    )
    if found is None:
        raise TypeError(f"the review queue has no filter {name}")
    return found
