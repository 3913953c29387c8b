"""The logs as administrators read them."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from app.core.audit.access import Purpose
from app.core.filters import OneOf
from app.core.permissions import Role
from app.core.schemas import Instant, ReadModel

EntityIdQuery = OneOf[uuid.UUID]
ChartQuery = Annotated[
    uuid.UUID | None, Query(description="Of a chart: of the incident and all its entries, deleted ones included")
]
ShownQuery = Annotated[uuid.UUID | None, Query(description="The chart that was shown, alone or among others")]
ActorQuery = OneOf[uuid.UUID]
FromQuery = Annotated[Instant | None, Query(alias="from", description="At this time or later")]
ToQuery = Annotated[Instant | None, Query(alias="to", description="Before this time")]


class LogFormat(StrEnum):
    NDJSON = "ndjson"
    CSV = "csv"


class AuditEventRead(ReadModel):
    id: uuid.UUID
    created_at: dt.datetime
    actor_user_id: uuid.UUID | None = Field(
        description="Of a user or of an external API key; null for the service itself and for webhooks"
    )
    entity_type: str
    entity_id: uuid.UUID
    action: str
    changed_fields_json: dict[str, Any] = Field(
        description="{field: [old, new]}; protected values as keyed digests, equal only for equal values of one entity",
        examples=[{"disposition": [None, "4227001"], "last_name": [None, "digest:6f1d0c7a90b2e6f0a1b2c3d4"]}],
    )
    metadata_json: dict[str, Any] | None
    request_id: uuid.UUID | None = Field(description="The request's trace id")


class AccessEntryRead(ReadModel):
    id: uuid.UUID
    created_at: dt.datetime
    actor_user_id: uuid.UUID
    actor_role: Role
    purpose: Purpose = Field(description="45 CFR 164.506 and 164.512(b)")
    route: str | None
    request_id: uuid.UUID | None
    incident_id: uuid.UUID | None = Field(description="The chart that was shown, if it was one")
    incident_ids: list[uuid.UUID] | None = Field(description="The charts that were shown, if they were several")
    categories: list[str] = Field(examples=[["incident", "patient", "vital"]])
