"""Denials as clients see them and what they may say about one."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import MISSING, Field

from app.billing.adjustment_codes.dictionary import Category, Owner, Remedy
from app.billing.denials.lifecycle import DenialStatus, DenialTransition, Resolution
from app.billing.denials.models import NO_DEADLINE
from app.core.pagination import Paging, encode_cursor
from app.core.schemas import Date, EntityRead, ReadModel, RequestModel, Text, Version, VersionedPatch, length

# Any: a subclass may not narrow what the base declares.
_ORDERS: Any = Literal["created_at", "-created_at", "appeal_by", "-appeal_by"]


class DenialPaging(Paging):
    """A list of denials by the day that they were posted, or by the last day for an appeal."""

    sort: _ORDERS = Field(
        "appeal_by", description="`appeal_by`: what has no deadline stands last; `-` sorts the latest first"
    )

    def values(self) -> dict[str, Any]:
        values = super().values()
        if self.sorted_by == "appeal_by" and "after_at" in values:
            values["after_at"] = values["after_at"].date()
        return values

    def split(self, rows: Sequence[Any], entity_id: str = "id") -> tuple[Sequence[Any], str | None]:
        if self.sorted_by != "appeal_by" or len(rows) <= self.limit:
            return super().split(rows, entity_id)
        shown = rows[: self.limit]
        last = shown[-1]
        midnight = dt.datetime.combine(last["appeal_by"] or NO_DEADLINE, dt.time(), dt.UTC)
        return shown, encode_cursor(midnight, last[entity_id], self.sorted_by)


class ExplainedCode(ReadModel):
    """A payer's code in plain words. All but the code is null for one that the dictionary does not know."""

    code: str = Field(description="Group and reason (CO-50), or a remark (MA130)")
    means: str | None = Field(description="What the payer says by it")
    cause: str | None = Field(description="What leads to it most often; null for remarks")
    fix: str | None = Field(description="What helps")


class DenialRead(EntityRead):
    status: DenialStatus
    allowed_actions: list[str]
    claim_id: uuid.UUID = Field(description="The claim")
    remittance_claim_id: uuid.UUID = Field(description="The payer's decision")
    payer_record_id: uuid.UUID | None = Field(description="The payer among billing/payers; null for none")
    resolution: Resolution | None = Field(description="What settled it; null until then")
    codes: list[ExplainedCode] = Field(description="The reasons for it, the largest amount first")
    remarks: list[ExplainedCode] = Field(description="What the payer remarked")
    amount: Decimal = Field(description="What was refused")
    whole: bool = Field(description="Whether nothing of the claim was paid")
    category: Category = Field(description="What it is about")
    owner: Owner = Field(description="Who should work on it")
    remedy: Remedy = Field(description="What helps most often")
    appealable: bool = Field(description="False: the payer could not process the claim, which is to be sent again")
    notice_on: dt.date = Field(description="The day of the remittance")
    appeal_by: dt.date | None = Field(
        description="The last day for the first appeal; null if there is none, or nobody knows it"
    )
    assigned_to_user_id: uuid.UUID | None = Field(description="Who works on it; null for nobody")


class DenialPatch(VersionedPatch):
    owner: Owner | MISSING = Field(default=MISSING, description="Who should work on it")
    appeal_by: Date | None = Field(None, description="The last day for the first appeal; null for none")
    assigned_to_user_id: uuid.UUID | None = Field(None, description="Who is to work on it; null for nobody")


class DenialTransitionRequest(RequestModel):
    action: DenialTransition
    version: Version
    reason: Annotated[Text, length(500)] | None = Field(None, description="Required to give it up; no patient details")
