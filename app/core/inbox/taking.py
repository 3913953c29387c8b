"""Stores a webhook first, then acts: a repeated webhook is stored once and takes effect once (directive 1.7, 14)."""

from __future__ import annotations

from app.core.clock import utcnow
from app.core.inbox.providers import Delivery, V, WebhookProvider
from app.core.inbox.repository import receive
from app.core.inbox.settling import settle
from app.core.logging import get_logger
from app.core.runtime import Runtime

_log = get_logger(__name__)


async def take(runtime: Runtime, provider: WebhookProvider[V], verifier: V, delivery: Delivery) -> None:
    """Verify the delivery, store its receipt, find the tenant, apply the event. Returns if no repetition is needed.

    `verifier` is what the provider's `verify` needs: keys, a gateway. Raises the errors of `verify`; then nothing is
    stored. Raises ServiceUnavailable when the receipt is stored and its effect must be tried again. An effect that
    fails for good raises nothing: a repetition would not help, and an administrator sees the receipt.
    """
    event_id = await provider.verify(verifier, delivery)
    if event_id is None:
        return
    async with runtime.system_unit_of_work() as system:
        tenant_id = None if provider.keeps_unclaimed else await provider.find_tenant(system, delivery.body)
        if tenant_id is None and not provider.keeps_unclaimed:
            return
        pending = await receive(system, provider.name, event_id, delivery.body, tenant_id, utcnow())
    if pending is not None and not await settle(runtime, provider, pending):
        _log.warning("webhook without tenant yet", entity_id=str(pending.id), handler=provider.name)
