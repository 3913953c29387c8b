"""Remittances and the claims in them as clients send and see them."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from app.billing.received.schemas import ReceivedFileRead
from app.billing.remittances.lifecycle import HoldReason, RemittanceClaimStatus, RemittanceClaimTransition
from app.billing.remittances.models import RemittanceSource
from app.core.schemas import (
    Date,
    DecimalText,
    EntityRead,
    Money,
    ReadModel,
    RequestModel,
    Text,
    Version,
    length,
    scaled,
    whole,
)

MAX_TYPED_CLAIMS = 100
MAX_LINES = 50
SignedMoney = Annotated[Decimal, DecimalText, Field(max_digits=12, decimal_places=2, allow_inf_nan=False), scaled(2)]
Code = Annotated[Text, Field(pattern="^[A-Z0-9]{1,5}$")]


class TypedAdjustment(RequestModel):
    group: Annotated[str, Field(pattern="^(CO|PR|OA|PI)$")] = Field(
        description="CO contractual, PR patient responsibility, OA other, PI payer initiated"
    )
    reason: Code = Field(description="The claim adjustment reason code, such as 45")
    amount: SignedMoney


class TypedLine(RequestModel):
    line_id: uuid.UUID = Field(description="The line of the claim")
    paid: SignedMoney
    adjustments: list[TypedAdjustment] = Field(
        default_factory=list, max_length=30, description="What explains the difference between charge and payment"
    )
    remarks: list[Code] = Field(
        default_factory=list, max_length=10, description="Remittance advice remark codes, such as N115"
    )


class TypedClaim(RequestModel):
    """What the paper says about one claim. What was charged is taken from the claim."""

    claim_id: uuid.UUID = Field(description="The claim that the paper decides")
    payer_status: Annotated[str, Field(pattern="^([1-4]|19|2[0-2])$")] = Field(
        "1", description="CLP02: 1 primary, 2 secondary, 4 denied, 22 reversal"
    )
    payer_control_number: Annotated[Text, length(50)] | None = Field(
        None, description="The payer's number of the claim"
    )
    adjustments: list[TypedAdjustment] = Field(
        default_factory=list, max_length=30, description="Of the claim as a whole, beside those of its lines"
    )
    lines: list[TypedLine] = Field(min_length=1, max_length=MAX_LINES, description="Every line of the claim")


class TypedProviderAdjustment(RequestModel):
    reason: Code = Field(description="Such as WO, an overpayment that the payer takes back, or L6, interest")
    reference: Annotated[Text, length(50)] | None = Field(
        None, description="What the adjustment refers to, such as a claim of the payer's"
    )
    amount: SignedMoney = Field(description="Positive: the payment is smaller by it")


_EXAMPLE: dict[str, Any] = {
    "payer_name": "Medicare Part B IL",
    "trace_number": "CHK10042",
    "paid_on": "2026-11-09",
    "amount": "573.98",
    "claims": [
        {
            "claim_id": "01a20c05-eb78-7554-9db9-30eab422ae5d",
            "payer_control_number": "1126310000001",
            "lines": [
                {
                    "line_id": "01a20c05-eb78-7554-9db9-30eab422ae5e",
                    "paid": "446.10",
                    "adjustments": [
                        {"group": "CO", "reason": "45", "amount": "90.10"},
                        {"group": "PR", "reason": "2", "amount": "113.80"},
                    ],
                },
                {
                    "line_id": "01a20c05-eb78-7554-9db9-30eab422ae5f",
                    "paid": "127.88",
                    "adjustments": [{"group": "CO", "reason": "45", "amount": "237.72"}],
                },
            ],
        }
    ],
}


class RemittanceCreate(RequestModel):
    """A remittance that came on paper. The same rules of balance hold as for an 835."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    payer_name: Annotated[Text, length(60)] = Field(description="As the paper names the payer")
    payer_identifier: Annotated[Text, length(30)] | None = Field(
        None, description="The payer's tax id as in TRN03, if it is known"
    )
    trace_number: Annotated[Text, length(50)] = Field(description="Of the check or transfer")
    paid_on: Date = Field(description="Date of the check or transfer")
    amount: Money
    method: Annotated[str, Field(pattern="^(CHK|ACH|FWT|NON)$")] = "CHK"
    claims: list[TypedClaim] = Field(
        min_length=1, max_length=MAX_TYPED_CLAIMS, description="Each claim that the paper decides"
    )
    provider_adjustments: list[TypedProviderAdjustment] = Field(
        default_factory=list, max_length=30, description="What the payer adjusted for the agency as a whole"
    )


class ProviderAdjustmentRead(ReadModel):
    reason: str = Field(description="PLB03-1: WO, L6, FB …")
    amount: Decimal = Field(description="Positive: the payment is smaller by it")
    reference: str | None = Field(description="PLB03-2: often the payer's number of a claim")
    fiscal_period_end: dt.date | None = Field(description="PLB02")


class RemittanceRead(EntityRead):
    source: RemittanceSource = Field(description="A file or paper")
    file_id: uuid.UUID | None = Field(description="Null for a remittance on paper")
    payer_identifier: str = Field(description="TRN03")
    payer_name: str = Field(description="N102 of the payer")
    trace_number: str = Field(description="TRN02: of the check or transfer")
    control_number: str = Field(description="ST02")
    method: str = Field(description="BPR04: ACH, CHK, FWT, NON")
    paid_on: dt.date = Field(description="BPR16: date of the check or transfer")
    amount: Decimal = Field(description="BPR02")
    claim_count: int = Field(description="How many claims it decides")
    balanced: bool = Field(description="Whether the amount is what the claims were paid less provider adjustments")
    provider_adjustments: list[ProviderAdjustmentRead] = Field(
        description="PLB: what the payer adjusted for the agency as a whole"
    )
    pending_count: int = Field(description="Decisions that were not judged yet")
    held_count: int = Field(description="Decisions that wait for a person")
    posted_count: int = Field(description="Decisions that are in the ledger")
    set_aside_count: int = Field(description="Decisions that a person has set aside")


class TakenFile(ReadModel):
    """One file of an upload, and what became of it."""

    file: ReceivedFileRead = Field(description="The file as it is kept")
    repeated: bool = Field(description="The same bytes came before, and nothing was done")
    remittances: list[RemittanceRead] = Field(description="Payments that are new")
    repeated_remittance_ids: list[uuid.UUID] = Field(description="Payments that another file brought before")


class RemittanceUploadRead(ReadModel):
    files: list[TakenFile] = Field(description="The file, or the members of the archive")


class RemittanceClaimRead(EntityRead):
    status: RemittanceClaimStatus
    allowed_actions: list[str]
    remittance_id: uuid.UUID = Field(description="The payment that it is part of")
    position: int = Field(description="Of the claim in its remittance, counted from 1")
    claim_id: uuid.UUID | None = Field(description="The claim that it was matched with")
    hold_reason: HoldReason | None = Field(
        description="Why it was not posted by itself; stays when a person has decided"
    )
    claim_number: str = Field(description="CLP01: what the payer calls our number")
    payer_status: str = Field(description="CLP02")
    payer_control_number: str | None = Field(description="CLP07")
    charge_amount: Decimal = Field(description="CLP03")
    paid_amount: Decimal = Field(description="CLP04")
    content: dict[str, Any] = Field(description="Everything that the payer said: lines, adjustments, remarks")


class LineMatch(RequestModel):
    position: Annotated[int, whole(1, 999)] = Field(description="Of the payer's line, counted from 1")
    line_id: uuid.UUID = Field(description="The line of our claim")


class RemittanceClaimTransitionRequest(RequestModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"action": "set_aside", "version": 2, "reason": "Paid to the agency that we bought"}]
        }
    )

    action: RemittanceClaimTransition
    version: Version
    reason: Annotated[Text, length(500)] | None = Field(None, description="Required; no patient details")
    claim_id: uuid.UUID | None = Field(None, description="With `resolve`: the claim that the payer means")
    lines: list[LineMatch] = Field(
        default_factory=list, max_length=MAX_LINES, description="With `resolve`: which line the payer means by which"
    )
