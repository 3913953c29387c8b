"""How a domain takes another's events: a handler, its own unit of work, effect exactly once."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from app.core.db.uow import UnitOfWork
from app.core.events import Topic
from app.core.ids import TenantId


@dataclass(frozen=True, slots=True)
class Event:
    """`payload` holds ids, versions, statuses and names of changed fields; a handler re-reads what it needs."""

    id: uuid.UUID
    tenant_id: TenantId
    topic: str
    aggregate_id: uuid.UUID
    payload: dict[str, Any]


Handler = Callable[[UnitOfWork, Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """`name` is stable: it is stored with every event that the handler took."""

    name: str
    topics: tuple[Topic, ...]
    handle: Handler
