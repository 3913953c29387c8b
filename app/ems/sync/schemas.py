"""A sync as clients send it, and the result of each change."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any, Literal, Self, Union

from pydantic import Field, model_validator

from app.core.schemas import ReadModel, RequestModel, Version
from app.ems.chart.schemas import ChangeReason
from app.ems.parts import PARTS, ChartEntity

MAX_CHANGES = 100

ChartRecord: Any = Union[tuple(part.read for part in PARTS if part.charted)]  # noqa: UP007  # not known until run time


class SyncOperation(StrEnum):
    CREATE = "create"
    PATCH = "patch"
    DELETE = "delete"


class SyncChange(RequestModel):
    """One change. `data` is the single request's body without `id` and `version`; of a delete at most a `reason`."""

    kind: ChartEntity
    op: SyncOperation
    id: uuid.UUID
    version: Version | None = Field(None, description="Required to patch and to delete")
    data: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _storable(self) -> Self:
        """Accept any `data`: it is checked with its change, so that one bad text does not hold up the others."""
        return self


class SyncRequest(RequestModel):
    changes: list[SyncChange] = Field(min_length=1, max_length=MAX_CHANGES, description="Saved in this order")


class DeleteData(RequestModel):
    reason: ChangeReason = None


class _Outcome(ReadModel):
    kind: ChartEntity
    op: SyncOperation
    id: uuid.UUID
    status: int = Field(description="What the single request would have answered", examples=[200])


class Saved(_Outcome):
    outcome: Literal["saved"] = "saved"
    version: int
    resource: ChartRecord | None = Field(description="As stored; null for a delete")


class Conflicting(_Outcome):
    """A change that came too late. Show both versions to the user, and send the merged one with `server_version`."""

    outcome: Literal["conflict"] = "conflict"
    server_version: int
    updated_at: dt.datetime
    resource: ChartRecord | None = Field(description="As it stands on the server; null if it is gone by now")


class SyncError(ReadModel):
    """An error as in the error contract, without the trace id, which belongs to the whole request."""

    code: str = Field(examples=["VALIDATION_FAILED"])
    message: str
    details: dict[str, Any]


class Refused(_Outcome):
    outcome: Literal["refused"] = "refused"
    error: SyncError


class SyncResult(ReadModel):
    results: list[Saved | Conflicting | Refused] = Field(description="One per change, in the order of the request")
