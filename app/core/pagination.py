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
        return self.sort == "created_at"

    @property
    def after(self) -> tuple[dt.datetime, uuid.UUID] | None:
        """The last row of the previous page; None for the first page. Raises ValidationFailed for an invalid cursor."""
        return None if self.cursor is None else decode_cursor(self.cursor)

    def values(self) -> dict[str, Any]:
        """The parameters of a statement that `keyset` made. The statement reads one row more than the page shows."""
        values: dict[str, Any] = {"limit": self.limit + 1}
        if (after := self.after) is not None:
            values["after_at"], values["after_id"] = after
        return values

    def split(self, rows: Sequence[Any], entity_id: str = "id") -> tuple[Sequence[Any], str | None]:
        """The rows of the page and its `next_cursor`. `rows` are the rows that a statement found for `values`.

        Each row has the columns `created_at` and `entity_id`. The list is sorted by them.
        """
        shown = rows[: self.limit]
        if len(rows) <= self.limit:
            return shown, None
        return shown, encode_cursor(shown[-1]["created_at"], shown[-1][entity_id])


class OldestFirst(Paging):
    sort: Literal["created_at", "-created_at"] = Field("created_at", description="`-` sorts newest first")


class PagingWithDeleted(Paging):
    """Of a list whose soft-deleted rows can be asked for; the service says by whom."""

    include_deleted: bool = False


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


def encode_cursor(at: dt.datetime, entity_id: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([at.isoformat(), str(entity_id)])).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[dt.datetime, uuid.UUID]:
    """Raises ValidationFailed for anything that encode_cursor did not make."""
    try:
        at, entity_id = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = dt.datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("no offset")
        return moment.astimezone(dt.UTC), uuid.UUID(entity_id)
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error) as error:
        raise ValidationFailed.of("cursor", "bad_cursor", "This is not a cursor of this list.") from error
