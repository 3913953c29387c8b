"""A domain subscribes to another's events: a handler has its own unit of work and takes effect exactly once."""

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
    """`payload` holds ids, versions, statuses and names of changed fields. A handler reads again what it needs."""

    id: uuid.UUID
    tenant_id: TenantId
    topic: str
    aggregate_id: uuid.UUID
    payload: dict[str, Any]


Handler = Callable[[UnitOfWork, Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """`name` never changes: it is stored with every event that the handler took."""

    name: str
    topics: tuple[Topic, ...]
    handle: Handler
