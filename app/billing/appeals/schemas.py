"""Appeals as clients write and see them."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Annotated, Self

from pydantic import MISSING, Field, model_validator
from pydantic_core import PydanticCustomError

from app.billing.appeals.lifecycle import AppealStatus, AppealTransition
from app.core.schemas import (
    CreateModel,
    Date,
    EntityRead,
    Money,
    RequestModel,
    Text,
    Version,
    VersionedPatch,
    Words,
    length,
)

Letter = Annotated[Words, length(20_000), Field(description="The text of the letter; a blank line parts paragraphs")]
Reference = Annotated[Text, length(50), Field(description="The payer's number of the appeal")]
_DECISIONS = frozenset({AppealTransition.WIN, AppealTransition.WIN_PARTLY, AppealTransition.LOSE})


class AppealCreate(CreateModel):
    """The level follows from the appeals before it; the letter, if none is given, from claim and refusal."""

    denial_id: uuid.UUID = Field(description="The refusal")
    amount: Money | None = Field(None, description="What is in dispute; null for all that was refused")
    letter: Letter | None = None


class AppealPatch(VersionedPatch):
    """Of a draft."""

    amount: Money | MISSING = Field(default=MISSING, description="What is in dispute")
    letter: Letter | MISSING = MISSING
    file_by: Date | None = Field(None, description="Its last day; null if nobody knows it")
    reference: Reference | None = None


class AppealTransitionRequest(RequestModel):
    action: AppealTransition
    version: Version
    on: Date | None = Field(None, description="The day of filing, or of the payer's answer; not of `withdraw`")
    awarded_amount: Money | None = Field(None, description="With `win_partly`: what the payer grants")
    reference: Reference | None = None
    reason: Annotated[Text, length(500)] | None = Field(
        None, description="Required to file late: the good cause; no patient details"
    )

    @model_validator(mode="after")
    def _fits_the_action(self) -> Self:
        if (self.on is None) != (self.action is AppealTransition.WITHDRAW):
            raise PydanticCustomError("day_of_action", "Give `on` with every action but `withdraw`")
        if (self.awarded_amount is not None) != (self.action is AppealTransition.WIN_PARTLY):
            raise PydanticCustomError("award_of_part", "Give `awarded_amount` with `win_partly`, and only then")
        return self

    @property
    def is_decision(self) -> bool:
        """True if the payer has answered."""
        return self.action in _DECISIONS


class AppealRead(EntityRead):
    """The letter is null for roles without claim.clinical."""

    status: AppealStatus
    allowed_actions: list[str]
    incident_id: uuid.UUID
    claim_id: uuid.UUID = Field(description="The claim")
    denial_id: uuid.UUID = Field(description="The refusal")
    level: int = Field(description="1 to 5, of Medicare's levels")
    level_name: str = Field(description="What the level is called")
    amount: Decimal = Field(description="What is in dispute")
    against_on: dt.date = Field(description="The day of the decision that it is about")
    file_by: dt.date | None = Field(description="Its last day; null if nobody knows it")
    letter: str | None = Field(description="The text of the letter")
    filed_on: dt.date | None = Field(description="The day on which it was sent")
    decided_on: dt.date | None = Field(description="The day of the payer's answer")
    awarded_amount: Decimal | None = Field(description="What was won; null until the payer has answered")
    reference: str | None = Field(description="The payer's number of the appeal")
