"""ClaimExports as clients ask for them and see them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.billing.exports.models import ClaimFileFormat
from app.core.schemas import ReadModel, RequestModel

MAX_CLAIMS = 100


def _unique(value: list[uuid.UUID]) -> list[uuid.UUID]:
    if len(set(value)) < len(value):
        raise PydanticCustomError("duplicate", "Name every claim once")
    return value


class ExportCreate(RequestModel):
    """The service names the export: two attempts never share an artifact."""

    claim_ids: Annotated[
        list[uuid.UUID],
        Field(min_length=1, max_length=MAX_CLAIMS, json_schema_extra={"uniqueItems": True}),
        AfterValidator(_unique),
    ]


class ExportRead(ReadModel):
    id: uuid.UUID
    format: ClaimFileFormat
    control_number: int = Field(description="ISA13, GS06 and BHT03 of the file")
    claim_ids: list[uuid.UUID]
    artifact_key: str = Field(description="Where the object store has the file")
    created_at: dt.datetime
