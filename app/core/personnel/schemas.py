"""Personnel as clients create, change and read them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from pydantic import MISSING, Field

from app.core.geography import State
from app.core.personnel.lifecycle import EmploymentStatus, EmploymentTransition
from app.core.personnel.models import LicensureLevel
from app.core.reference.schemas import TransitionRequest, coded
from app.core.schemas import CreateModel, Date, EntityRead, RequestModel, Text, VersionedPatch, length

LastName = Annotated[Text, length(60), Field(description="dPersonnel.01")]
FirstName = Annotated[Text, length(50), Field(description="dPersonnel.02")]
Level = Annotated[LicensureLevel, coded("dPersonnel.24 and eCrew.02", LicensureLevel)]


class _PersonFields(RequestModel):
    middle_name: Annotated[Text, length(50)] | None = Field(None, description="dPersonnel.03")
    licensure_id: Annotated[Text, length(50, 2)] | None = Field(
        None, description="dPersonnel.23 and eCrew.01; with licensure_state, or not at all; unique in the agency"
    )
    licensure_state: State | None = Field(None, description="Becomes dPersonnel.22")
    licensure_expires_on: Date | None = Field(None, description="dPersonnel.27, the last day that it is good for")
    user_id: uuid.UUID | None = Field(None, description="As whom this person signs in; one person per user")


class PersonCreate(_PersonFields, CreateModel):
    """Active from the start."""

    last_name: LastName
    first_name: FirstName
    licensure_level: Level


class PersonPatch(_PersonFields, VersionedPatch):
    last_name: LastName | MISSING = MISSING
    first_name: FirstName | MISSING = MISSING
    licensure_level: Level | MISSING = MISSING


class PersonTransitionRequest(TransitionRequest):
    action: EmploymentTransition


class PersonRead(EntityRead):
    status: EmploymentStatus
    allowed_actions: list[str] = Field(description="Transitions that this user may fire now")
    last_name: str
    first_name: str
    middle_name: str | None
    licensure_level: Level
    licensure_id: str | None
    licensure_state: str | None
    licensure_expires_on: dt.date | None
    licensure_expired: bool = Field(description="By the agency's own calendar. It informs and forbids nothing")
    user_id: uuid.UUID | None
