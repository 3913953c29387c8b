"""The declaration of a kind of outbound attempt."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from app.core.audit.actions import AuditAction
from app.core.audit.disclosures import Disclosure
from app.core.db.uow import UnitOfWork
from app.core.ids import TenantId
from app.core.lifecycle import Lifecycle
from app.core.outbound.breaker import BreakerRule
from app.core.outbound.columns import OutboundEntity
from app.core.repository import Repository
from app.core.runtime import Runtime

O = TypeVar("O", bound=OutboundEntity)  # noqa: E741  # O as in outbound
M = TypeVar("M")
R = TypeVar("R")


def idempotency_key(kind: str, entity_id: uuid.UUID, purpose: str = "") -> str:
    """The key that makes a provider act once: `<kind>:<entity id>[:<purpose>]`, at most 255 characters.

    It is made of ids only, so every retry has the same key, even after a crash or in another process. `purpose` tells
    several calls of one entity apart. An intended repetition needs another entity.
    """
    key = f"{kind}:{entity_id}"
    return f"{key}:{purpose}" if purpose else key


@dataclass(frozen=True, slots=True)
class Moves:
    """The lifecycle's transitions: start (queued → running); the others leave running. Retry leads to queued."""

    start: StrEnum
    succeed: StrEnum
    fail: StrEnum
    retry: StrEnum


@dataclass(frozen=True, slots=True)
class Backoff:
    """The delays between attempts: `first`, then `factor` times the previous delay, at most `longest`."""

    first: dt.timedelta
    factor: int
    longest: dt.timedelta

    def after(self, attempts: int) -> dt.timedelta:
        """The delay after this number of attempts."""
        delay: dt.timedelta = min(self.first * self.factor ** (attempts - 1), self.longest)
        return delay


@dataclass(frozen=True, slots=True)
class Postpone:
    """An answer of `admit`: wait until `until`. This counts as no attempt. `code` is stored as the reason."""

    until: dt.datetime
    code: StrEnum


@dataclass(frozen=True, slots=True)
class Refuse:
    """An answer of `admit`: give up. The entity fails with `code`."""

    code: StrEnum


@dataclass(frozen=True, slots=True)
class Breaking(Generic[O]):
    """The breaker of a kind. `key` tells outside systems apart (an agency's own gateway); a constant means one for all.

    While the breaker is open, attempts are postponed with `code`.
    """

    rule: BreakerRule
    code: StrEnum
    key: Callable[[O], str]


@dataclass(frozen=True, slots=True)
class HeldAttempt(Generic[M]):
    """The holder's knowledge of an entity. `attempt` shows whether it is still the holder."""

    kind: str
    tenant_id: TenantId
    entity_id: uuid.UUID
    attempt: int
    breaker_key: str | None
    material: M = field(repr=False)

    def idempotency_key(self, purpose: str = "") -> str:
        """The key is the same for every attempt at this entity."""
        return idempotency_key(self.kind, self.entity_id, purpose)


@dataclass(frozen=True)
class OutboundKind(Generic[O, M, R]):
    """One kind of attempt. `app/registry.py` lists the kinds; creating one registers nothing.

    `name` is the name of its job. `requeued` is the audit action when an entity is queued again without an attempt:
    its job was lost, or it was postponed. `lease_expired` is the failure code of a holder that died. `lease` must
    outlive every timeout of `call`.

    `admit` runs in the unit of work that begins the attempt, under the row's lock. It checks a budget or a limit of
    concurrency, and takes a turn (`turns.take_turn`) if it counts other rows. `material` reads what the call needs,
    in the same unit of work. `call` runs with no transaction open; it returns its result, or raises CallRefused,
    CallPostponed or CallUnanswered. `record` runs in the second unit of work: it stores what belongs to the result
    and returns the entity's columns that change with its success. `disclosure` is what `record` records, if a success
    hands protected health information to somebody.
    """

    name: str
    repository: type[Repository[O]]
    lifecycle: Lifecycle[Any, None]
    moves: Moves
    requeued: AuditAction
    lease_expired: StrEnum
    lease: dt.timedelta
    max_attempts: int
    backoff: Backoff
    material: Callable[[UnitOfWork, O], Awaitable[M]]
    call: Callable[[Runtime, HeldAttempt[M]], Awaitable[R]]
    record: Callable[[UnitOfWork, O, R], Awaitable[dict[str, Any]]]
    admit: Callable[[UnitOfWork, O], Awaitable[Postpone | Refuse | None]] | None = None
    breaking: Breaking[O] | None = None
    disclosure: Disclosure | None = None

    def is_queued(self, entity: O) -> bool:
        return self.lifecycle.find(entity.status, self.moves.start) is not None

    def is_running(self, entity: O) -> bool:
        return self.lifecycle.find(entity.status, self.moves.succeed) is not None
