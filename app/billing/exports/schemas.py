"""ClaimExports as clients ask for them and see them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.billing.clearinghouses.models import DeliveryChannel
from app.billing.delivery.failures import DeliveryFailure
from app.billing.delivery.lifecycle import DeliveryStatus
from app.billing.exports.models import ClaimFileFormat
from app.core.schemas import ReadModel, RequestModel

MAX_CLAIMS = 500


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
    format: ClaimFileFormat | None = Field(
        None,
        description="Of all files. Without it, payers that want paper get a CMS-1500 each, and all others are in one"
        " 837P",
    )
    clearinghouse_id: uuid.UUID | None = Field(
        None, description="Whose names and delivery an 837P has; needed if the agency has several clearinghouses"
    )


class DeliveryCreate(RequestModel):
    file_number: Annotated[int, Field(strict=True, ge=1, le=MAX_CLAIMS)] = Field(description="Of the export's file")


class DeliveryRead(ReadModel):
    id: uuid.UUID
    channel: DeliveryChannel = Field(description="A directory, or the clearinghouse's SFTP server")
    status: DeliveryStatus
    attempts: int = Field(description="How many attempts were begun")
    failure_code: DeliveryFailure | None = Field(description="Why the last attempt did not succeed")
    delivered_at: dt.datetime | None = Field(description="When the file was there")


class ExportFileRead(ReadModel):
    file_number: int = Field(description="Counts the files of the export from 1")
    format: ClaimFileFormat
    control_number: int = Field(description="ISA13 and GS06 of an 837P; part of the name of other files")
    file_name: str | None = Field(description="As it is delivered and downloaded; null for early exports")
    size_bytes: int | None = Field(description="Null for early exports")
    sha256: str | None = Field(description="Of the file's bytes; null for early exports")
    artifact_key: str = Field(description="Where the object store has the file")
    claim_ids: list[uuid.UUID] = Field(description="The claims in the file, in its order")
    delivery: DeliveryRead | None = Field(description="How the file left, or is leaving; null for early exports")


class ExportRead(ReadModel):
    id: uuid.UUID
    claim_ids: list[uuid.UUID]
    files: list[ExportFileRead] = Field(description="One 837P at most, and one file for each payer that wants paper")
    created_at: dt.datetime
