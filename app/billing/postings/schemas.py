"""A claim's ledger as clients see it, and adjustments as they send them."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from app.billing.ledger.accounts import Account, EntryKind
from app.billing.ledger.models import Cause
from app.core.schemas import Money, ReadModel, RequestModel, Text, length


class LedgerEntryRead(ReadModel):
    """One amount that moved, and why."""

    id: uuid.UUID
    posting_id: uuid.UUID = Field(description="Entries of one posting were made together")
    line_id: uuid.UUID | None = Field(description="Null for what is about the claim as a whole")
    kind: EntryKind
    debit_account: Account = Field(description="The account that the amount went to")
    credit_account: Account = Field(description="The account that the amount came from")
    amount: Decimal = Field(description="Always positive; the accounts show the direction")
    reason_code: str | None = Field(description="The payer's group and reason, such as CO-45")
    cause: Cause = Field(description="What made the entry")
    remittance_id: uuid.UUID | None = Field(description="The payment by a payer that the entry comes from")
    remittance_claim_id: uuid.UUID | None = Field(description="The payer's decision that the entry comes from")
    payment_id: uuid.UUID | None = Field(description="The patient's payment or refund that the entry comes from")
    reason: str | None = Field(description="What the person who posted it gave as the reason")
    created_at: dt.datetime


class LedgerRead(ReadModel):
    """Balances are sums of the entries; none is stored."""

    claim_id: uuid.UUID = Field(description="Whose ledger it is")
    charged: Decimal = Field(description="What was charged for all lines")
    outstanding: Decimal = Field(description="What anybody still owes; negative if somebody paid too much")
    balances: dict[Account, Decimal] = Field(description="Debits less credits of each account that the claim has moved")
    entries: list[LedgerEntryRead] = Field(description="Oldest first")


class AdjustmentKind(StrEnum):
    """What a person may post. Payments and payers' adjustments come from remittances only."""

    WRITE_OFF = "write_off"
    WRITE_OFF_REVERSAL = "write_off_reversal"
    REFUND = "refund"
    SELF_PAY = "self_pay"


class Receivable(StrEnum):
    PAYER = "payer_receivable"
    NEXT_PAYER = "next_payer_receivable"
    PATIENT = "patient_receivable"
    DENIED = "denied_receivable"


def _more_than_nothing(amount: Decimal) -> Decimal:
    if not amount:
        raise PydanticCustomError("no_amount", "The amount must be more than nothing")
    return amount


class AdjustmentCreate(RequestModel):
    """`write_off` gives up what `receivable` still owes; `write_off_reversal` takes that back; `refund` gives a payer
    back what it paid too much; `self_pay` makes the charges the patient's, on a claim that no payer has decided."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "write_off",
                    "receivable": "denied_receivable",
                    "amount": "20.00",
                    "reason": "CO-97: oxygen is part of the base rate",
                }
            ]
        }
    )

    kind: AdjustmentKind
    receivable: Receivable | None = Field(None, description="With `write_off` and its reversal: which balance")
    amount: Annotated[Money, AfterValidator(_more_than_nothing)]
    reason: Annotated[Text, length(500)] = Field(description="No patient details")
