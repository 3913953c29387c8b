"""Shared pieces of chart requests and answers: coded values, elements, the amendment's reason."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query
from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from app.core.paths import API_PREFIX
from app.core.schemas import (
    CreateModel,
    EntityRead,
    Instant,
    RequestModel,
    RestoreRequest,
    Text,
    VersionedPatch,
    Words,
    length,
)
from app.ems.elements import (
    TARGET_BUILD,
    ElementDefinition,
    GivenElementPatch,
    GivenElements,
    expectation,
    load_dictionary,
)


@dataclass(frozen=True)
class Coded:
    """Text that the NEMSIS type of an element accepts: `Annotated[Text, Coded("eScene.09")]`."""

    element_id: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        described = handler(schema)
        wanted = expectation(self._definition.type)
        described["description"] = f"{self.element_id} {self._definition.name}: {wanted}"
        return described

    def _check(self, value: str) -> str:
        definition = self._definition
        if definition.type.violation(value) is not None:
            problem = {"name": definition.name, "wanted": expectation(definition.type)}
            raise PydanticCustomError("nemsis_value", "{name} must be {wanted}", problem)
        return value

    @property
    def _definition(self) -> ElementDefinition:
        return load_dictionary(TARGET_BUILD).elements[self.element_id]


# DateTimeType of NEMSIS: a time that no document can carry is a slip of the pen.
_EARLIEST = dt.datetime(1950, 1, 1, tzinfo=dt.UTC)
_LATEST = dt.datetime(2050, 1, 1, tzinfo=dt.UTC)


def _exportable(value: dt.datetime) -> dt.datetime:
    if not _EARLIEST <= value <= _LATEST:
        raise PydanticCustomError("nemsis_time", "NEMSIS takes times from 1950 to 2049 only")
    return value


ChartTime = Annotated[Instant, AfterValidator(_exportable)]


_WHY = "Why a completed chart is changed (admin only); kept with the amendment, no patient details"
_Why = Annotated[Words, length(500)]
ChangeReason = Annotated[_Why | None, Field(description=_WHY)]
ChangeReasonQuery = Annotated[_Why | None, Query(description=_WHY)]

CorrelationId = Annotated[
    Annotated[Text, length(255, 2)] | None,
    Field(description="CorrelationID, by which other groups refer to this one; unique in the document"),
]

ELEMENTS_DESCRIPTION = (
    "NEMSIS values keyed by element id, always a list: `{value?, not_value?, pertinent_negative?, attributes?,"
    f" correlation_id?}}`. See `GET {API_PREFIX}/nemsis/dictionary`."
)


class WithElements(RequestModel):
    elements: GivenElements = Field(
        default_factory=dict,
        description=ELEMENTS_DESCRIPTION,
    )


class ChildCreate(WithElements, CreateModel):
    """Body of a creation. `reason` is no value of the entry: an addition to a completed chart is an amendment."""

    reason: ChangeReason = None

    def values(self) -> dict[str, Any]:
        return {name: value for name, value in super().values().items() if name != "reason"}


class ChartRestore(RestoreRequest):
    reason: ChangeReason = None


class ChartPatch(VersionedPatch):
    """Body of an autosave. `elements` are merged by id; null removes an id."""

    reason: ChangeReason = None
    elements: GivenElementPatch = Field(default_factory=dict, description=ELEMENTS_DESCRIPTION + " Null removes an id.")


class ChartRead(EntityRead):
    elements: dict[str, Any] = Field(description=ELEMENTS_DESCRIPTION)
