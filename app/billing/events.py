"""The events that billing publishes (directive 8, 13)."""

from __future__ import annotations

import uuid

from pydantic import Field

from app.billing.permissions import CLAIM_READ, COVERAGE_READ, LEDGER_READ
from app.core.events import Broadcast, EventPayload, Topic, Worklist

CLAIMS = Worklist("claims", "Every change of the agency's claims, and of the coverages that they go by.")
PAYMENTS = Worklist("payments", "Everything that moves the agency's money.")


class ClaimPayload(EventPayload):
    """A change of a claim. The lines are part of their claim."""

    incident_id: uuid.UUID = Field(description="The chart that the claim is for.")
    patient_id: uuid.UUID = Field(description="The patient whom the claim is for.")
    status: str = Field(description="The state of the claim.")


class CoveragePayload(EventPayload):
    """A change of a coverage."""

    incident_id: uuid.UUID = Field(description="The chart of the call that the coverage is for.")
    patient_id: uuid.UUID = Field(description="The patient who is covered.")


class LedgerPayload(EventPayload):
    """Entries that were made together. A payer's adjustment of the agency is no claim's and no patient's."""

    claim_id: uuid.UUID | None = Field(description="The claim whose money moved.")
    patient_id: uuid.UUID | None = Field(description="The patient of the claim.")
    remittance_id: uuid.UUID | None = Field(description="The remittance that moved it, if one did.")


_CLAIM = Broadcast(CLAIM_READ, ClaimPayload, CLAIMS)

COVERAGE_UPDATED = Topic(
    "coverage.updated",
    "A coverage of a patient was created, changed, deleted or restored.",
    Broadcast(COVERAGE_READ, CoveragePayload, CLAIMS),
)
CLAIM_UPDATED = Topic("claim.updated", "A claim or one of its lines was created, changed, deleted or restored.", _CLAIM)
CLAIM_STATUS_CHANGED = Topic("claim.status_changed", "A claim moved to another state.", _CLAIM)
LEDGER_POSTED = Topic(
    "ledger.posted",
    "Entries were added to the ledger: charges, a payment, adjustments, a reversal.",
    Broadcast(LEDGER_READ, LedgerPayload, PAYMENTS, of_chart=False),
)
FEE_SCHEDULE_CHANGED = Topic("fee_schedule.changed", "A fee schedule or one of its prices was changed or deleted.")

TOPICS = (COVERAGE_UPDATED, CLAIM_UPDATED, CLAIM_STATUS_CHANGED, LEDGER_POSTED, FEE_SCHEDULE_CHANGED)
