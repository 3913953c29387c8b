"""Cursor pagination: keyset pages, an opaque cursor, a bounded limit."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import uuid
from typing import Annotated, Generic, Literal, TypeVar

import orjson
from fastapi import Query
from pydantic import Field

from app.core.errors import ValidationFailed
from app.core.schemas import ReadModel

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=200, description="Items per page")]
Sort = Annotated[Literal["created_at", "-created_at"], Query(description="`-` sorts newest first")]
CursorText = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the previous page")]


class Page(ReadModel, Generic[T]):
    """`next_cursor` is null on the last page."""

    items: list[T]
    next_cursor: str | None = Field(None, description="Pass as `cursor` for the next page; null on the last")


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
