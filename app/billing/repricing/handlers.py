"""Handlers of changed prices."""

from __future__ import annotations

from app.billing.events import FEE_SCHEDULE_CHANGED
from app.billing.repricing.service import reprice_open_claims
from app.core.db.uow import UnitOfWork
from app.core.outbox.subscriptions import Event, Subscription


async def reprice_claims(uow: UnitOfWork, event: Event) -> None:
    await reprice_open_claims(uow, event.aggregate_id, event.payload["version"])


SUBSCRIPTIONS = (Subscription("billing.reprice_claims", (FEE_SCHEDULE_CHANGED,), reprice_claims),)
