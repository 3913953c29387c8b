"""The query of the queue: waiting reviews with their chart's number and the names of people, in one statement."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.ids import TenantId
from app.core.pagination import Page, decode_cursor, encode_cursor
from app.core.users.models import User
from app.ems.incidents.models import Incident
from app.ems.review.lifecycle import ReviewStatus
from app.ems.review.models import ChartReview

_reviews: Any = ChartReview.__table__
_incidents: Any = Incident.__table__
_users: Any = User.__table__
_authors, _reviewers = _users.alias("authors"), _users.alias("reviewers")
_KEY = sa.tuple_(_reviews.c.created_at, _reviews.c.id)
_AFTER = sa.tuple_(
    sa.bindparam("after_at", type_=_reviews.c.created_at.type), sa.bindparam("after_id", type_=_reviews.c.id.type)
)
_QUEUE = (
    sa.select(
        *_reviews.c,
        _incidents.c.incident_number,
        _incidents.c.version.label("incident_version"),
        _authors.c.display_name.label("author_name"),
        _reviewers.c.display_name.label("reviewer_name"),
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
        self,
        tenant_id: TenantId,
        *,
        limit: int,
        cursor: str | None,
        ascending: bool,
        unassigned: bool,
        reviewer_id: uuid.UUID | None,
        author_id: uuid.UUID | None,
    ) -> Page[Waiting]:
        given = {"reviewer_id": reviewer_id, "author_id": author_id}
        values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        shape = (*values, ascending, unassigned, cursor is not None)
        values |= {"tenant_id": tenant_id, "limit": limit + 1}
        if cursor is not None:
            values["after_at"], values["after_id"] = decode_cursor(cursor)
        statement = _STATEMENTS.get(shape)
        if statement is None:
            names = [name for name in given if name in values]
            statement = _STATEMENTS[shape] = _statement(names, ascending, unassigned, after=cursor is not None)
        rows = await self._uow.fetch(statement, values)
        more = len(rows) > limit
        return Page[Any].model_construct(
            items=[Waiting(row) for row in rows[:limit]],
            next_cursor=encode_cursor(rows[limit - 1]["created_at"], rows[limit - 1]["id"]) if more else None,
        )


def _statement(names: list[str], ascending: bool, unassigned: bool, *, after: bool) -> CompiledStatement:
    query = _QUEUE.where(*(_reviews.c[name] == sa.bindparam(name, type_=sa.Uuid) for name in names))
    if unassigned:
        query = query.where(_reviews.c.reviewer_id.is_(None))
    if after:
        query = query.where(_KEY > _AFTER if ascending else _KEY < _AFTER)
    order = [key if ascending else key.desc() for key in (_reviews.c.created_at, _reviews.c.id)]
    return CompiledStatement(query.order_by(*order).limit(sa.bindparam("limit", type_=sa.Integer)))
