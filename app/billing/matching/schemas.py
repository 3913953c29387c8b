"""What is proposed for a patient, and what a biller confirms."""

from __future__ import annotations

import uuid

from pydantic import Field

from app.billing.accounts.schemas import AccountRead, AccountSnapshot
from app.billing.matching.scoring import MatchFact
from app.core.schemas import CreateModel, ReadModel


class AccountJoin(CreateModel):
    """A patient whose bills go to the account from now on."""

    incident_id: uuid.UUID
    patient_id: uuid.UUID


class AccountProposal(ReadModel):
    account: AccountRead = Field(description="An account that may be the patient's")
    score: int = Field(description="How well it fits, from 30 to 100; a score joins nothing by itself")
    reasons: list[MatchFact] = Field(description="What agrees")
    differs: list[MatchFact] = Field(description="What disagrees; a fact that either side lacks is in neither list")


class AccountSuggestion(ReadModel):
    guarantor: bool = Field(description="True if it is the guardian of a minor (ePayment.23 to 32), not the patient")
    account: AccountSnapshot = Field(description="A body for POST billing/accounts, as the chart tells it")


class AccountMatches(ReadModel):
    incident_id: uuid.UUID
    patient_id: uuid.UUID
    account_id: uuid.UUID | None = Field(description="The account that the patient is joined to; null: to none")
    proposals: list[AccountProposal] = Field(description="Accounts that may be the patient's, the best first")
    suggestion: AccountSuggestion | None = Field(
        description="A new account for the responsible person; null if the chart does not say their last name"
    )
