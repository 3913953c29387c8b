"""Crew members as clients create, change and read them."""

from __future__ import annotations

import uuid
from typing import Annotated

from pydantic import Field

from app.core.personnel.public import Level
from app.core.reference.schemas import coded
from app.core.schemas import RequestModel
from app.ems.chart.schemas import ChartPatch, ChartRead, ChildCreate, CorrelationId
from app.ems.crew.models import ResponseRole

MAX_ROLES = 20

Role = Annotated[ResponseRole, coded("eCrew.03", ResponseRole)]
Roles = Annotated[
    list[Role], Field(min_length=1, max_length=MAX_ROLES, description="eCrew.03, one or several; null for none")
]


class _CrewMemberFields(RequestModel):
    response_roles: Roles | None = None
    correlation_id: CorrelationId = None


class CrewMemberCreate(_CrewMemberFields, ChildCreate):
    """A new crew member. Licence and level are copied from the person, unless `elements` gives a NOT value instead."""

    personnel_id: uuid.UUID = Field(description="An active person of the agency, once per call")


class CrewMemberPatch(_CrewMemberFields, ChartPatch):
    """A revised crew member. The person cannot be changed: somebody else on the call is another entry."""


class CrewMemberRead(ChartRead):
    incident_id: uuid.UUID
    personnel_id: uuid.UUID
    licensure_id: str | None = Field(description="eCrew.01, the person's when the entry was made")
    licensure_level: Level | None = Field(description="eCrew.02, the person's when the entry was made")
    response_roles: list[str] | None = Field(description="Codes of eCrew.03")
    correlation_id: str | None
