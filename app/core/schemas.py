"""Bases of every request and response model: strict about scalars, closed to unknown fields, storable."""

from __future__ import annotations

import datetime as dt
import math
import re
import uuid
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Self, get_args, get_origin

from fastapi import Query
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from app.core.text import normalised

MAX_INT = 2**31 - 1
MAX_JSON_INT = 2**63 - 1
MAX_NESTING = 64
_EARLIEST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
_LATEST = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}[0-9:.Z+-]*")
_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_NOT_IN_POSTGRES = re.compile("[\x00\ud800-\udfff]")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def _iso(form: re.Pattern[str]) -> BeforeValidator:
    """Accepts only ISO 8601 text. pydantic alone reads "0" as 1970, a number as seconds, and a time as a date."""

    def check(value: Any) -> Any:
        if isinstance(value, dt.date) or (isinstance(value, str) and form.fullmatch(value)):
            return value
        raise PydanticCustomError("iso_text", "Give this value as ISO 8601 text")

    return BeforeValidator(check)


def _bounded(value: dt.datetime) -> dt.datetime:
    if not _EARLIEST <= value < _LATEST:
        raise PydanticCustomError("instant_range", "The time must lie between 1900 and 2100")
    return value.astimezone(dt.UTC)


def _bounded_date(value: dt.date) -> dt.date:
    if not _EARLIEST.date() <= value < _LATEST.date():
        raise PydanticCustomError("date_range", "The date must lie between 1900 and 2100")
    return value


def decimal_text(value: Any) -> Any:
    """Checks a decimal that is given as text or as a JSON number.

    Text keeps its zeros. A number does not. A float becomes the shortest text with the same value, so 37.1 stays 37.1
    and 324.0 is 324.
    """
    if isinstance(value, Decimal) or (isinstance(value, str) and _DECIMAL.fullmatch(value)):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, float) and math.isfinite(value):
        return Decimal(f"{Decimal(repr(value)):f}".removesuffix(".0"))
    raise PydanticCustomError("decimal_text", "Give this value as a number, or as a decimal string")


_DecimalString = Annotated[str, Field(pattern=f"^{_DECIMAL.pattern}$")]
DecimalText = BeforeValidator(decimal_text, json_schema_input_type=float | _DecimalString)


def _printable(value: str) -> str:
    if _NOT_IN_XML.search(value):
        raise PydanticCustomError("control_character", "Control characters are not allowed")
    return value


Version = Annotated[int, Field(strict=True, ge=1, le=MAX_INT, description="The version that the client last saw")]
VersionQuery = Annotated[int, Query(ge=1, le=MAX_INT, description="The version that the client last saw")]
Instant = Annotated[AwareDatetime, _iso(_ISO_TIME), AfterValidator(_bounded)]
Date = Annotated[dt.date, _iso(_ISO_DATE), AfterValidator(_bounded_date)]
Verbatim = Annotated[str, Field(strict=True), AfterValidator(_printable)]
"""Text that is kept as it came: passwords, tokens, wordings that somebody signed."""
_NORMALISED = AfterValidator(normalised)
Text = Annotated[Verbatim, _NORMALISED]
"""Text that people type, normalised. In a field that may be null, a text of blanks is null."""


def _worded(value: str) -> str:
    if not normalised(value):
        raise PydanticCustomError("blank", "Say this in words")
    return value


Words = Annotated[Text, AfterValidator(_worded)]
"""Text that says something: not only blanks."""
VerbatimWords = Annotated[Verbatim, AfterValidator(_worded)]


def length(longest: int, shortest: int = 1) -> Any:
    """`Annotated[Text, length(60)]`: a bound in characters."""
    return Field(min_length=shortest, max_length=longest)


def whole(lowest: int, highest: int) -> Any:
    """`Annotated[int, whole(0, 500)]`: a strict integer within inclusive bounds."""
    return Field(strict=True, ge=lowest, le=highest)


def scaled(places: int) -> AfterValidator:
    """Gives the value the scale of its NUMERIC column, so the answer to a write shows the same as a later read."""
    unit = Decimal(1).scaleb(-places)
    return AfterValidator(lambda value: value.quantize(unit) + 0)  # + 0: there is no -0 in NUMERIC


@dataclass(frozen=True, slots=True)
class AsCharted:
    """At most `places` digits after the point, zeros included. A read returns the value as it was written.

    More digits are refused, or rounded where `rounds` says that the field takes what a device measured.
    """

    places: int
    rounds: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        described = handler(schema)
        return described if self.rounds else {**described, "decimal_places": self.places}

    def _check(self, value: Decimal) -> Decimal:
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > self.places:
            if self.rounds:
                return value.quantize(Decimal(1).scaleb(-self.places)) + 0
            problem = {"decimal_places": self.places}
            raise PydanticCustomError("decimal_places", "The number has too many decimal places", problem)
        return value + 0  # there is no -0 in NUMERIC


Money = Annotated[Decimal, DecimalText, Field(ge=0, max_digits=12, decimal_places=2, allow_inf_nan=False), scaled(2)]


Why = Annotated[Text, length(500)]
"""The reason that somebody gives for an act, kept in the audit log."""


def _unstorable(given: list[Any]) -> PydanticCustomError | None:
    """The reason why JSON cannot be stored and returned unchanged, or None.

    It goes level by level, without recursion, because a body may be nested more deeply than the stack allows.
    """
    level = given
    for _ in range(MAX_NESTING + 1):
        deeper: list[Any] = []
        for value in level:
            if isinstance(value, str):
                if _NOT_IN_POSTGRES.search(value):
                    return PydanticCustomError("not_text", "NUL characters and lone surrogates are not allowed")
            elif isinstance(value, dict):
                deeper += [*value.keys(), *value.values()]
            elif isinstance(value, list):
                deeper += value
            elif isinstance(value, int | float) and not -MAX_JSON_INT <= value <= MAX_JSON_INT:
                return PydanticCustomError("number_range", "A number is too large, or none at all")
        level = deeper
    return PydanticCustomError("nesting", "The value is nested too deeply") if level else None


BLANK = {"type": "string", "pattern": "^\\s*$", "description": "Blanks clear the text, as null does"}


def _is_text(annotation: Any) -> bool:
    return get_origin(annotation) is Annotated and _NORMALISED in get_args(annotation)


@cache
def _nullable_texts(model: type[BaseModel]) -> frozenset[str]:
    """Fields declared as `Text | None`, with any bounds."""
    arms = {name: get_args(field.annotation) for name, field in model.model_fields.items()}
    return frozenset(name for name, given in arms.items() if type(None) in given and any(map(_is_text, given)))


class RequestModel(BaseModel):
    """Unknown fields are refused, and free JSON that cannot be stored as it is. Blanks for a text that may be null
    are null."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _blanks_are_null(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        names = _nullable_texts(cls).intersection(given)
        blank = [name for name in names if isinstance(given[name], str) and not normalised(given[name])]
        return given | dict.fromkeys(blank) if blank else given

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        described = handler.resolve_ref_schema(handler(schema))
        for name in _nullable_texts(cls):
            described["properties"][name]["anyOf"].append(BLANK)
        return described

    @model_validator(mode="after")
    def _storable(self) -> Self:
        refusal = _unstorable(list(self.__dict__.values()))
        if refusal is not None:
            raise refusal
        return self


class CreateModel(RequestModel):
    """Creates accept a client-made id, so that an offline device can name things."""

    id: uuid.UUID | None = Field(None, description="Client-made UUID; the same body sent again answers 200")

    def values(self) -> dict[str, Any]:
        """Field values for the entity's constructor, without `id`."""
        return {name: getattr(self, name) for name in type(self).model_fields if name != "id"}


class VersionedPatch(RequestModel):
    """`version` and at least one more field. A field that was not sent is not changed.

    Such a field has the default MISSING, or None where null can be sent. Another default would stand in the API's
    document, and a generated client would send it.
    """

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
        """Reads the entity's state at once. Reading its attributes one by one costs more than twice as much."""
        return cls.model_validate({**entity.__dict__, **derived})

    id: uuid.UUID = Field(description="A UUID, the client's own or the service's")
    version: int = Field(description="Rises by one with every change; a change names the version that it is based on")
    created_at: dt.datetime = Field(description="When it was stored")
    updated_at: dt.datetime = Field(description="When it was last changed")
    deleted_at: dt.datetime | None = Field(None, description="Set while the record is soft-deleted")
