"""Acts of advanced life support as clients enter and read them."""

from __future__ import annotations

from typing import Annotated

from pydantic import MISSING, Field

from app.billing.als_acts.models import ActKind, StaffLevel
from app.core.geography import State
from app.core.schemas import CreateModel, Date, EntityRead, RequestModel, Text, VersionedPatch, length

Code = Annotated[
    Text,
    length(100),
    Field(
        description="SNOMED CT of a procedure, the code in eMedications.04 of a route, RxNorm's name of an ingredient",
        examples=["392230005"],
    ),
]
Source = Annotated[Text, length(300), Field(description="The rule of the state that says so")]


class _ActFields(RequestModel):
    effective_to: Date | None = Field(None, description="The last day; null while it is in force")
    source: Source | None = None


class AlsActCreate(_ActFields, CreateModel):
    """What a state says of one act. It precedes the shipped default."""

    state: State
    kind: ActKind
    code: Code
    level: StaffLevel
    effective_from: Date


class AlsActPatch(_ActFields, VersionedPatch):
    level: StaffLevel | MISSING = MISSING
    effective_from: Date | MISSING = MISSING


class AlsActRead(EntityRead):
    state: str = Field(description="USPS state whose law it is")
    kind: ActKind
    code: Code
    level: StaffLevel = Field(description="The lowest level of staff that may do it; above `bls` it is ALS")
    effective_from: Date = Field(description="The first day")
    effective_to: Date | None
    source: str | None
