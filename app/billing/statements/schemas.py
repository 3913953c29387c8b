"""Statements and the ageing of open balances as clients see them."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

from pydantic import Field

from app.billing.claims.lifecycle import ClaimStatus
from app.core.schemas import ReadModel


class MoneyRead(ReadModel):
    """`charged` is what everything else adds up to."""

    charged: Decimal = Field(description="What was charged")
    payer_paid: Decimal = Field(description="What payers have paid")
    patient_paid: Decimal = Field(description="What the patient has paid")
    adjusted: Decimal = Field(description="What contracts took off, and what was written off")
    payer_owes: Decimal = Field(description="What payers have not decided about")
    denied: Decimal = Field(description="What payers refused, and nobody has settled")
    patient_owes: Decimal = Field(description="What the patient owes; negative for a credit")


class StatementClaimRead(MoneyRead):
    """One claim of the account. It holds nothing clinical."""

    claim_id: uuid.UUID = Field(description="The claim")
    claim_number: str = Field(description="CLM01")
    status: ClaimStatus
    service_date: dt.date | None = Field(description="The agency-local day of the service; null if not charted")
    payer_name: str | None = Field(description="Null where nobody has said who pays")


class StatementRead(ReadModel):
    account_id: uuid.UUID = Field(description="The billing account")
    total: MoneyRead = Field(description="Of all claims together")
    claims: list[StatementClaimRead] = Field(description="Every claim of the account, the oldest first")


class AgeingRead(ReadModel):
    """What of one payer's claims is open, by days since the service. A negative amount is a credit."""

    payer_record_id: uuid.UUID | None = Field(description="The payer among billing/payers; null for none")
    payer_name: str | None = Field(description="Null where the claims name no payer of billing/payers")
    days_0_30: Decimal = Field(description="Served at most 30 days ago")
    days_31_60: Decimal = Field(description="31 to 60 days ago")
    days_61_90: Decimal = Field(description="61 to 90 days ago")
    days_91_120: Decimal = Field(description="91 to 120 days ago")
    days_over_120: Decimal = Field(description="More than 120 days ago")
    undated: Decimal = Field(description="Of claims whose day of service is not charted")
    total: Decimal = Field(description="All of it")


class AgeingTable(ReadModel):
    as_of: dt.date = Field(description="Today in the agency's zone: the day from which days are counted")
    items: list[AgeingRead] = Field(description="Each payer with an open balance, the largest first")
