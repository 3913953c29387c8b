"""Cursor pagination: keyset pages, an opaque cursor, a bounded limit."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar

import orjson
import sqlalchemy as sa
from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import ValidationFailed
from app.core.schemas import ReadModel

T = TypeVar("T")


class Page(ReadModel, Generic[T]):
    """`next_cursor` is null on the last page."""

    items: list[T]
    next_cursor: str | None = Field(None, description="Pass as `cursor` for the next page; null on the last")

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """The name of the page in the API's document: `Page[StationRead]` is StationPage."""
        [item] = params
        return f"{getattr(item, '__name__', cls.__name__).removesuffix('Read')}Page"


class Paging(BaseModel):
    """Which page of a list is asked for, newest first unless the client says otherwise."""

    model_config = ConfigDict(frozen=True)

    limit: int = Field(50, ge=1, le=200, description="Items per page")
    cursor: str | None = Field(None, max_length=200, description="`next_cursor` of the previous page")
    sort: Literal["created_at", "-created_at"] = Field("-created_at", description="`-` sorts newest first")

    @property
    def ascending(self) -> bool:
        return not self.sort.startswith("-")

    @property
    def sorted_by(self) -> str:
        """The column by which the list is sorted. A row that has no time there stands where it was made."""
        return self.sort.removeprefix("-")

    @property
    def after(self) -> tuple[dt.datetime, uuid.UUID] | None:
        """The last row of the previous page; None for the first page. Raises ValidationFailed for an invalid cursor."""
        return None if self.cursor is None else decode_cursor(self.cursor, self.sorted_by)

    def filters(self) -> dict[str, Any]:
        """The filters that a list declares beside the page, in a subclass; None for those that are not given."""
        return {name: getattr(self, name) for name in type(self).model_fields if name not in _OF_PAGES}

    def values(self) -> dict[str, Any]:
        """The parameters of a statement that `keyset` made. The statement reads one row more than the page shows."""
        values: dict[str, Any] = {"limit": self.limit + 1}
        if (after := self.after) is not None:
            values["after_at"], values["after_id"] = after
        return values

    def split(self, rows: Sequence[Any], entity_id: str = "id") -> tuple[Sequence[Any], str | None]:
        """The rows of the page and its `next_cursor`. `rows` are the rows that a statement found for `values`.

        Each row has the columns `created_at` and `entity_id`, and the one by which the list is sorted.
        """
        shown = rows[: self.limit]
        if len(rows) <= self.limit:
            return shown, None
        last = shown[-1]
        return shown, encode_cursor(last[self.sorted_by] or last["created_at"], last[entity_id], self.sorted_by)


class OldestFirst(Paging):
    sort: Literal["created_at", "-created_at"] = Field("created_at", description="`-` sorts newest first")


class PagingWithDeleted(Paging):
    """Of a list whose soft-deleted rows can be asked for; the service says by whom."""

    include_deleted: bool = False


def sort_field(*columns: str) -> tuple[Any, Any]:
    """The type and the field of `sort`, for a list that is also sorted by these columns of times."""
    sorts = [f"{sign}{column}" for column in ("created_at", *columns) for sign in ("", "-")]
    described = "`-` sorts newest first. A row without that time stands where it was made"
    return Literal[tuple(sorts)], Field("-created_at", description=described)


_OF_PAGES = frozenset(PagingWithDeleted.model_fields)

PagingQuery = Annotated[Paging, Query()]
OldestFirstQuery = Annotated[OldestFirst, Query()]
PagingWithDeletedQuery = Annotated[PagingWithDeleted, Query()]


def keyset(
    query: sa.Select[Any], at: sa.ColumnElement[Any], entity_id: sa.ColumnElement[Any], *, ascending: bool, after: bool
) -> sa.Select[Any]:
    """`query` sorted by `at` and `entity_id`, with at most `limit` rows. With `after`, it begins after that row."""
    if after:
        key = sa.tuple_(at, entity_id)
        last = sa.tuple_(sa.bindparam("after_at", type_=at.type), sa.bindparam("after_id", type_=entity_id.type))
        query = query.where(key > last if ascending else key < last)
    order = [column if ascending else column.desc() for column in (at, entity_id)]
    return query.order_by(*order).limit(sa.bindparam("limit", type_=sa.Integer))


def sort_key(table: Any, column: str) -> sa.ColumnElement[Any]:
    """The expression that a list sorted by `column` compares. It is never null.

    It is a CASE because row-level security keeps COALESCE from the index, as it keeps functions that might leak.
    """
    created_at, at = table.c.created_at, table.c[column]
    return created_at if at is created_at else sa.case((at.is_(None), created_at), else_=at)


def encode_cursor(at: dt.datetime, entity_id: uuid.UUID, sorted_by: str = "created_at") -> str:
    place = [at.isoformat(), str(entity_id), *([] if sorted_by == "created_at" else [sorted_by])]
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def decode_cursor(cursor: str, sorted_by: str = "created_at") -> tuple[dt.datetime, uuid.UUID]:
    """Raises ValidationFailed for anything that encode_cursor did not make, or made of a list sorted otherwise."""
    try:
        at, entity_id, *other = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = dt.datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("no offset")
        if other != ([] if sorted_by == "created_at" else [sorted_by]):
            raise ValueError("another order")
        return moment.astimezone(dt.UTC), uuid.UUID(entity_id)
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error) as error:
        raise ValidationFailed.of("cursor", "bad_cursor", "This is not a cursor of this list.") from error
