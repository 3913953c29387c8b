"""How charts are listed and looked for, and what a row of the answer shows."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from app.core.filters import FilterText, From, To, Values
from app.core.pagination import PagingWithDeleted
from app.core.schemas import Date, ReadModel, RequestModel, Text, length, whole
from app.ems.incidents.schemas import IncidentRead
from app.ems.lifecycle import IncidentStatus

Sort = Literal["created_at", "-created_at", "dispatch_time", "-dispatch_time"]
_CREW = "Charts with one of these {} on the crew"


class IncidentQuery(PagingWithDeleted):
    """The filters of the list of charts. A new one is a field here, and a filter of the repository."""

    sort: Sort = Field(  # type: ignore[assignment]  # more orders than every list has
        "-created_at",
        description="`-` sorts newest first. A chart without dispatch time stands where it was opened",
    )
    status: Values[IncidentStatus] = None
    incident_number: Values[FilterText] = None
    created_by: Values[uuid.UUID] = None
    vehicle_id: Values[uuid.UUID] = None
    crew_personnel_id: Annotated[Values[uuid.UUID], Field(description=_CREW.format("persons"))] = None
    crew_user_id: Annotated[Values[uuid.UUID], Field(description=_CREW.format("users"))] = None
    dispatch_time_from: From = None
    dispatch_time_to: To = None
    created_at_from: From = None
    created_at_to: To = None


IncidentQueryParameter = Annotated[IncidentQuery, Query()]


class IncidentSearch(IncidentQuery, RequestModel):
    """The list's filters, and what is about a patient. A chart is found if one of its patients fits all of that.

    Names are compared as people type them: their beginning, without case, accents, blanks and punctuation.
    """

    limit: Annotated[int, whole(1, 200)] = Field(50, description="Items per page")
    include_deleted: Annotated[bool, Field(strict=True)] = False
    last_name: Annotated[Text, length(60)] | None = Field(None, description="How the patient's last name begins")
    first_name: Annotated[Text, length(60)] | None = Field(None, description="How the patient's first name begins")
    date_of_birth: Date | None = None


class ListedPatient(ReadModel):
    id: uuid.UUID
    last_name: str | None
    first_name: str | None
    date_of_birth: dt.date | None


class ListedIncident(IncidentRead):
    patients: list[ListedPatient] = Field(description="Whom the call was about, in the order of their entry")
