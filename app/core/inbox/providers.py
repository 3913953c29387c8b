"""The declaration of an outside system that sends webhooks. The registry lists the declarations (WEBHOOKS)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from app.core.db.system import SystemUnitOfWork
from app.core.db.uow import UnitOfWork
from app.core.ids import TenantId

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request of a provider, unchanged. Neither part may be logged."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


def every_event(body: bytes) -> bool:
    """The `interests` of a provider all of whose events matter."""
    return True


@dataclass(frozen=True, slots=True)
class WebhookProvider(Generic[V]):
    """A provider of webhooks. All functions but `verify` get a verified body.

    `verify(verifier, delivery)` proves who sent it and returns the event's id, unique for the provider. It raises an
    AppError of 4xx for a forged or stale message, and ServiceUnavailable while it cannot be checked. None means that
    the message is genuine but no event (a subscription to confirm); nothing is stored.
    `find_tenant` returns the tenant of the event, or None while it is unknown.
    `effect` runs in the tenant's unit of work, which also marks the receipt. Any exception undoes it. It is tried
    again after an error that may pass (ServiceUnavailable, a lost race, a connection); any other fails the receipt.
    `interests` is false for an event that concerns nobody; its receipt is ignored.
    `keeps_unclaimed` is false where others may share the source. Then an event without a tenant is not stored.
    """

    name: str
    verify: Callable[[V, Delivery], Awaitable[str | None]]
    find_tenant: Callable[[SystemUnitOfWork, bytes], Awaitable[TenantId | None]]
    effect: Callable[[UnitOfWork, bytes], Awaitable[None]]
    interests: Callable[[bytes], bool] = every_event
    keeps_unclaimed: bool = True
