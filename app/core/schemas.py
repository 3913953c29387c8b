"""Bases of every request and response model: strict about scalars, closed to unknown fields, free of NUL bytes."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Annotated, Any, Self

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

MAX_INT = 2**31 - 1
_EARLIEST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
_LATEST = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


def _only_text(value: Any) -> Any:
    if isinstance(value, str | dt.date | uuid.UUID):
        return value
    raise PydanticCustomError("text_expected", "Give this value as text")


def _bounded(value: dt.datetime) -> dt.datetime:
    if not _EARLIEST <= value < _LATEST:
        raise PydanticCustomError("instant_range", "The time must lie between 1900 and 2100")
    return value.astimezone(dt.UTC)


def _bounded_date(value: dt.date) -> dt.date:
    if not _EARLIEST.date() <= value < _LATEST.date():
        raise PydanticCustomError("date_range", "The date must lie between 1900 and 2100")
    return value


def decimal_text(value: Any) -> Any:
    """A decimal is given as text or as an integer: a binary float has lost its digits already."""
    if isinstance(value, str | Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise PydanticCustomError("decimal_text", "Give this value as a decimal string")


def places(number: int) -> Any:
    """`Annotated[Decimal, places(2)]`: as NUMERIC(…, 2) gives it back, however it was written (`650`, `6.5E+2`)."""
    unit = Decimal(1).scaleb(-number)
    return AfterValidator(lambda value: (value + 0).quantize(unit))


def _printable(value: str) -> str:
    if any(ord(char) < 32 and char not in "\t\n\r" for char in value):
        raise PydanticCustomError("control_character", "Control characters are not allowed")
    return value


Version = Annotated[int, Field(strict=True, ge=1, le=MAX_INT, description="The version that the client last saw")]
VersionQuery = Annotated[int, Query(ge=1, le=MAX_INT, description="The version that the client last saw")]
Instant = Annotated[AwareDatetime, BeforeValidator(_only_text), AfterValidator(_bounded)]
Date = Annotated[dt.date, BeforeValidator(_only_text), AfterValidator(_bounded_date)]
Money = Annotated[
    Decimal,
    BeforeValidator(decimal_text),
    Field(ge=0, max_digits=12, decimal_places=2, allow_inf_nan=False),
    places(2),
]
Text = Annotated[str, Field(strict=True), AfterValidator(_printable)]


def length(longest: int, shortest: int = 1) -> Any:
    """`Annotated[Text, length(60)]`: a bound in characters."""
    return Field(min_length=shortest, max_length=longest)


def whole(lowest: int, highest: int) -> Any:
    """`Annotated[int, whole(0, 500)]`: a strict integer within inclusive bounds."""
    return Field(strict=True, ge=lowest, le=highest)


def _find_unstorable(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_find_unstorable(key) or _find_unstorable(item) for key, item in value.items())
    if isinstance(value, list):
        return any(map(_find_unstorable, value))
    return False


class RequestModel(BaseModel):
    """Unknown fields are refused. PostgreSQL cannot store NUL, so no string may hold it."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, given: Any) -> Any:
        if _find_unstorable(given):
            raise PydanticCustomError("nul_character", "NUL characters are not allowed")
        return given


class CreateModel(RequestModel):
    """Creates accept a client-made id, so that an offline device can name things."""

    id: uuid.UUID | None = Field(None, description="Client-made UUID; the same body sent again answers 200")

    def values(self) -> dict[str, Any]:
        """Field values for the entity's constructor, without `id`."""
        return {name: getattr(self, name) for name in type(self).model_fields if name != "id"}


class VersionedPatch(RequestModel):
    """`version` and at least one more field. A field that was not sent is not changed."""

    version: Version

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.changed_fields():
            raise PydanticCustomError("nothing_to_change", "Give at least one field to change")
        return self

    def changed_fields(self) -> set[str]:
        return self.model_fields_set - {"version", "reason"}

    def changes(self) -> dict[str, Any]:
        """The sent fields and their values."""
        return {name: getattr(self, name) for name in self.changed_fields()}


class RestoreRequest(RequestModel):
    version: Version


class ReadModel(BaseModel):
    """Frozen: what leaves a domain, over HTTP or through `public`."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class EntityRead(ReadModel):
    @classmethod
    def of(cls, entity: Any, **derived: Any) -> Self:
        """From an entity's own state: reading its attributes one by one costs more than twice as much."""
        return cls.model_validate({**entity.__dict__, **derived})

    id: uuid.UUID
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime
    deleted_at: dt.datetime | None = Field(None, description="Set while the record is soft-deleted")
