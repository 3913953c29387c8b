"""Handlers of the events after which a claim may be judged otherwise: of its own, its coverages' and its chart's."""

from __future__ import annotations

import uuid

from app.billing.claims.repository import ClaimRepository
from app.billing.events import CLAIM_STATUS_CHANGED, CLAIM_UPDATED, COVERAGE_UPDATED
from app.billing.scrubbing.service import scrub_claims
from app.core.db.uow import UnitOfWork
from app.core.outbox.subscriptions import Event, Subscription
from app.ems.public import INCIDENT_STATUS_CHANGED


async def scrub_changed_claim(uow: UnitOfWork, event: Event) -> None:
    """Judges all claims of the call: the order of its payers concerns each of them."""
    claim = await ClaimRepository(uow).find(uow.tenant_id, event.aggregate_id)
    if claim is not None:
        await scrub_claims(uow, claim.incident_id)


async def scrub_changed_chart(uow: UnitOfWork, event: Event) -> None:
    await scrub_claims(uow, event.aggregate_id)


async def scrub_changed_coverage(uow: UnitOfWork, event: Event) -> None:
    await scrub_claims(uow, uuid.UUID(event.payload["incident_id"]))


SUBSCRIPTIONS = (
    Subscription("billing.scrub_changed_claim", (CLAIM_UPDATED, CLAIM_STATUS_CHANGED), scrub_changed_claim),
    Subscription("billing.scrub_changed_coverage", (COVERAGE_UPDATED,), scrub_changed_coverage),
    Subscription("billing.scrub_changed_chart", (INCIDENT_STATUS_CHANGED,), scrub_changed_chart),
)
