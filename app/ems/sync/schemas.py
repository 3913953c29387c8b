"""A sync as clients send it, and the result of each change."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, Union

from pydantic import Field, GetCoreSchemaHandler, TypeAdapter, ValidationError, model_validator
from pydantic_core import CoreSchema, core_schema

from app.core.schemas import ReadModel, RequestModel, Version
from app.ems.chart.schemas import ChangeReason
from app.ems.late_entries.schemas import LateEntryRead
from app.ems.parts import PARTS, closed_vocabulary

MAX_CHANGES = 100

SyncEntity: Any = closed_vocabulary(
    "SyncEntity", "What a sync changes: the incident, or an entry of its chart.", (part.entity_type for part in PARTS)
)
SyncRecord: Any = Union[tuple(part.read for part in PARTS)]  # noqa: UP007  # not known until run time


class SyncOperation(StrEnum):
    CREATE = "create"
    PATCH = "patch"
    DELETE = "delete"
    TRANSITION = "transition"


class SyncChange(RequestModel):
    """One change. An incident is created, patched and moved by transitions; a signature or attachment is created,
    deleted and moved; every other entry is created, patched and deleted."""

    kind: SyncEntity
    op: SyncOperation
    id: uuid.UUID = Field(description="Client-made for a create; an incident's is the one in the address")
    version: Version | None = Field(None, description="Required, except to create")
    data: dict[str, Any] = Field(
        default_factory=dict,
        description="The single request's body without `id` and `version`; of a delete at most a `reason`",
    )

    @model_validator(mode="after")
    def _storable(self) -> Self:
        """Accept any `data`: it is checked with its change, so that one bad text does not hold up the others."""
        return self


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A change that is none, with what pydantic found. `kind`, `op` and `id` are those that could be read."""

    problems: list[Any]
    kind: Any = None
    op: SyncOperation | None = None
    id: uuid.UUID | None = None


_READ_ALONE: Mapping[str, TypeAdapter[Any]] = {
    "kind": TypeAdapter(SyncEntity),
    "op": TypeAdapter(SyncOperation),
    "id": TypeAdapter(uuid.UUID),
}


class _EachByItself:
    """Reads a SyncChange, or an Unreadable in its place. Clients see the schema of a SyncChange."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(_read, handler.generate_schema(SyncChange))


def _read(given: Any, read: Any) -> SyncChange | Unreadable:
    try:
        change: SyncChange = read(given)
    except ValidationError as error:
        named = given if isinstance(given, dict) else {}
        parts = {name: _alone(adapter, named.get(name)) for name, adapter in _READ_ALONE.items()}
        return Unreadable(list(error.errors(include_url=False, include_input=False)), **parts)
    return change


def _alone(adapter: TypeAdapter[Any], given: Any) -> Any:
    try:
        return adapter.validate_python(given)
    except ValidationError:
        return None


class SyncRequest(RequestModel):
    changes: list[Annotated[SyncChange | Unreadable, _EachByItself()]] = Field(
        min_length=1, max_length=MAX_CHANGES, description="Saved in this order"
    )


class DeleteData(RequestModel):
    reason: ChangeReason = None


class SyncProblem(ReadModel):
    """One thing wrong with one field of `data`, as in the error contract."""

    field: str
    code: str
    message: str


class _Outcome(ReadModel):
    status: int = Field(description="What the single request would have answered", examples=[200])


class _OfAChange(_Outcome):
    kind: SyncEntity
    op: SyncOperation
    id: uuid.UUID


class Saved(_OfAChange):
    outcome: Literal["saved"] = "saved"
    version: int
    resource: SyncRecord | None = Field(description="As it stands now; null once it is deleted")


class PartlySaved(_OfAChange):
    """A set of vital signs without the fields that are wrong. Keep those and send them again, corrected, by a patch."""

    outcome: Literal["partly_saved"] = "partly_saved"
    version: int
    resource: SyncRecord | None = Field(description="As it stands now; null once it is deleted")
    problems: list[SyncProblem] = Field(description="What is wrong with each field that was not saved")


class Held(_OfAChange):
    """A creation that came while the chart waits for review. It is kept for the chart's author and reviewer."""

    outcome: Literal["held"] = "held"
    late_entry: LateEntryRead
    problems: list[SyncProblem] = Field(description="What is wrong with each field that was not kept, if any")


class Conflicting(_OfAChange):
    """A change that came too late. Show both versions to the user, and send the merged one with `server_version`.

    An entry that was deleted is restored with `server_version` first, or the change is given up.
    """

    outcome: Literal["conflict"] = "conflict"
    server_version: int
    updated_at: dt.datetime
    resource: SyncRecord | None = Field(description="As it stands on the server; null if it was deleted")
    deleted_at: dt.datetime | None = Field(None, description="When somebody deleted it, if somebody did")
    deleted_by: uuid.UUID | None = Field(None, description="The user who deleted it, if it was deleted")


class SyncError(ReadModel):
    """An error as in the error contract, without the trace id, which belongs to the whole request."""

    code: str = Field(examples=["VALIDATION_FAILED"])
    message: str
    details: dict[str, Any]


class Refused(_Outcome):
    """A change that was not saved. What could not be read of it is null: its place in the list says which it is."""

    outcome: Literal["refused"] = "refused"
    kind: SyncEntity | None
    op: SyncOperation | None
    id: uuid.UUID | None
    error: SyncError


SyncOutcome = Saved | PartlySaved | Held | Conflicting | Refused


class SyncResult(ReadModel):
    results: list[SyncOutcome] = Field(description="One per change, in the order of the request")
