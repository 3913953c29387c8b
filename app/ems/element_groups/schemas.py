"""Element groups as clients create, change and read them."""

from __future__ import annotations

import uuid
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.core.schemas import RequestModel, Text, length
from app.ems.chart.schemas import ChartPatch, ChartRead, ChildCreate, CorrelationId
from app.ems.elements import REPEATING_GROUPS


def _group(name: str) -> str:
    if name not in REPEATING_GROUPS:
        raise PydanticCustomError("unknown_group", "No such repeating NEMSIS group")
    return name


GroupName = Annotated[Text, AfterValidator(_group)]
Attributes = Annotated[dict[Text, Annotated[Text, length(255)]], Field(max_length=5)]


class _GroupFields(RequestModel):
    correlation_id: CorrelationId = None
    attributes: Attributes | None = Field(None, description="XML attributes of the group other than CorrelationID")


class ElementGroupCreate(_GroupFields, ChildCreate):
    """A new group. A group of a patient names the patient. One of the incident names none, but a
    responder (eScene.ResponderGroup) may name the patient whom it took over."""

    group_name: GroupName = Field(examples=["eProtocols.ProtocolGroup"])
    patient_id: uuid.UUID | None = None
    parent_id: uuid.UUID | None = Field(None, description="The group that this one is nested in, where NEMSIS nests it")


class ElementGroupPatch(_GroupFields, ChartPatch):
    pass


class ElementGroupRead(ChartRead):
    incident_id: uuid.UUID
    patient_id: uuid.UUID | None
    parent_id: uuid.UUID | None
    group_name: str
    correlation_id: str | None
    attributes: dict[str, str] | None
