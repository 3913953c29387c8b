"""Handlers of the chart's events: a locked chart drafts its claims, and an amended one makes them stale."""

from __future__ import annotations

from app.billing.derivation.service import DerivationService
from app.core.db.uow import UnitOfWork
from app.core.errors import NotFound
from app.core.outbox.subscriptions import Event, Subscription
from app.ems.public import INCIDENT_AMENDED, INCIDENT_STATUS_CHANGED


async def follow_chart(uow: UnitOfWork, event: Event) -> None:
    try:
        await DerivationService(uow).follow_chart(event.aggregate_id)
    except NotFound:  # the chart was deleted
        return


SUBSCRIPTIONS = (Subscription("billing.derive_claims", (INCIDENT_STATUS_CHANGED, INCIDENT_AMENDED), follow_chart),)
