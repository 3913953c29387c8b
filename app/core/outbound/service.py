"""Makes attempts: hold and commit, call, record and commit. Also sweeps ended leases.

An entity has one holder at a time, for as long as its lease lasts. A process that dies between the call and the record
leaves the entity running; the sweep queues it again when the lease has ended. So a call is made at least once, and
twice only after such a death. Where the provider takes an idempotency key, the call takes effect once.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from functools import partial
from typing import Any, Generic

from app.core.clock import utcnow
from app.core.db.uow import UnitOfWork
from app.core.ids import TenantId
from app.core.jobs.queue import Job, Schedule, enqueue
from app.core.logging import get_logger
from app.core.outbound.breaker import Breakers
from app.core.outbound.failures import CallFailed, CallPostponed
from app.core.outbound.kind import HeldAttempt, M, O, OutboundKind, Postpone, R, Refuse
from app.core.outbound.outside import Done, call_outside
from app.core.outbound.repository import get_cross_tenant_for_admin_only_with_expired_lease
from app.core.permissions import Principal
from app.core.runtime import Runtime

_log = get_logger(__name__)


class Attempts(Generic[O, M, R]):
    """The steps of a kind, each within one unit of work. A step that comes too late is no error.

    Without `breakers` every breaker counts as closed.
    """

    def __init__(self, uow: UnitOfWork, kind: OutboundKind[O, M, R], breakers: Breakers | None = None) -> None:
        self._uow = uow
        self._kind = kind
        self._breakers = breakers
        self._entities = kind.repository(uow)

    def first_lease(self) -> dt.datetime:
        """`lease_until` of an entity that is about to be created and queued."""
        return utcnow() + self._kind.lease

    async def queue(self, entity: O, after: dt.timedelta = dt.timedelta()) -> None:
        """Queue the next attempt, in the transaction of its cause. An attempt has one job only."""
        await self._enqueue(entity, after, f"{self._kind.name}:{entity.id}:{entity.attempts}")

    async def hold(self, entity_id: uuid.UUID) -> HeldAttempt[M] | None:
        """Hold the entity for a lease. None when it is no longer queued, or was postponed or refused."""
        kind = self._kind
        entity = await self._entities.find_for_update(self._uow.tenant_id, entity_id)
        if entity is None or not kind.is_queued(entity):
            return None
        answer = None if kind.admit is None else await kind.admit(self._uow, entity)
        answer = answer or self._breaker_answer(entity)
        if isinstance(answer, Postpone):
            await self._postpone(entity, answer)
            return None
        await self._fire(entity, kind.moves.start, attempts=entity.attempts + 1, lease_until=utcnow() + kind.lease)
        if isinstance(answer, Refuse):
            await self._fail(entity, answer)
            return None
        return HeldAttempt(
            kind.name,
            self._uow.tenant_id,
            entity.id,
            entity.attempts,
            None if kind.breaking is None else f"{kind.name}:{kind.breaking.key(entity)}",
            await kind.material(self._uow, entity),
        )

    async def succeeded(self, entity_id: uuid.UUID, result: R) -> None:
        """Record that a call has succeeded, whoever made it. An entity that is queued again is not called again."""
        entity = await self._entities.get_for_update(self._uow.tenant_id, entity_id)
        await self.settle(entity, result)

    async def settle(self, entity: O, result: R) -> None:
        """Do the same as `succeeded`, for a locked entity."""
        if self._kind.is_queued(entity) and entity.attempts:
            await self._fire(entity, self._kind.moves.start)
        if self._kind.is_running(entity):
            columns = await self._kind.record(self._uow, entity, result)
            await self._fire(entity, self._kind.moves.succeed, **columns, failure_code=None, lease_until=None)

    async def failed(self, held: HeldAttempt[M], failure: CallFailed) -> None:
        """Queue the next attempt, or give up. Does nothing when the entity has another holder now."""
        entity = await self._entities.get_for_update(self._uow.tenant_id, held.entity_id)
        if not self._kind.is_running(entity) or entity.attempts != held.attempt:
            return
        if isinstance(failure, CallPostponed):
            delay = self._kind.backoff.after(entity.attempts)
            await self._retry(entity, failure, max(delay, self._kind.lease) if failure.unanswered else delay)
        else:
            await self._fail(entity, failure)

    async def take_up(self, entity_id: uuid.UUID) -> None:
        """Queue an entity whose lease has ended: its holder died, or its job was lost."""
        entity = await self._entities.find_for_update(self._uow.tenant_id, entity_id)
        if entity is None or entity.lease_until is None or entity.lease_until > utcnow():
            return
        if self._kind.is_running(entity):
            await self._retry(entity, Refuse(self._kind.lease_expired), dt.timedelta())
            return
        async with self._uow.change(entity, self._kind.requeued):
            entity.lease_until = utcnow() + self._kind.lease
        await self.queue(entity)

    def _breaker_answer(self, entity: O) -> Postpone | None:
        breaking = self._kind.breaking
        if breaking is None or self._breakers is None:
            return None
        wait = self._breakers.time_to_wait(f"{self._kind.name}:{breaking.key(entity)}", breaking.rule)
        return None if wait is None else Postpone(utcnow() + wait, breaking.code)

    async def _postpone(self, entity: O, answer: Postpone) -> None:
        """Queue a later job. It has a key of its own, because the running job still has the attempt's key."""
        async with self._uow.change(entity, self._kind.requeued):
            entity.lease_until = answer.until + self._kind.lease
            entity.failure_code = answer.code
        key = f"{self._kind.name}:{entity.id}:{entity.attempts}:{entity.version}"
        await self._enqueue(entity, max(answer.until - utcnow(), dt.timedelta()), key)

    async def _retry(self, entity: O, why: CallFailed | Refuse, delay: dt.timedelta) -> None:
        if entity.attempts >= self._kind.max_attempts:
            await self._fail(entity, why)
            return
        lease_until = utcnow() + delay + self._kind.lease
        await self._fire(entity, self._kind.moves.retry, failure_code=why.code, lease_until=lease_until)
        await self.queue(entity, delay)

    async def _fail(self, entity: O, why: CallFailed | Refuse) -> None:
        await self._fire(entity, self._kind.moves.fail, failure_code=why.code, lease_until=None)

    async def _fire(self, entity: O, move: str, **also: Any) -> None:
        await self._kind.lifecycle.fire(self._uow, entity, move, None, **also)

    async def _enqueue(self, entity: O, after: dt.timedelta, key: str) -> None:
        job = job_of(self._kind)
        await enqueue(self._uow, job, {"entity_id": entity.id}, after=after or None, dedupe=key)


async def run_attempt(
    kind: OutboundKind[O, M, R], runtime: Runtime, principal: Principal, entity_id: uuid.UUID
) -> None:
    """Make one attempt, if the entity waits for one."""

    async def hold(uow: UnitOfWork) -> HeldAttempt[M] | Done[None]:
        held = await Attempts(uow, kind, runtime.breakers).hold(entity_id)
        return Done(None) if held is None else held

    async def call(held: HeldAttempt[M]) -> R | CallFailed:
        return await _call(kind, runtime, held)

    async def record(uow: UnitOfWork, held: HeldAttempt[M], outcome: R | CallFailed) -> None:
        attempts = Attempts(uow, kind)
        if isinstance(outcome, CallFailed):
            await attempts.failed(held, outcome)
        else:
            await attempts.succeeded(held.entity_id, outcome)

    await call_outside(partial(runtime.unit_of_work, principal), hold, call, record)


async def _call(kind: OutboundKind[O, M, R], runtime: Runtime, held: HeldAttempt[M]) -> R | CallFailed:
    """The result, or why there is none. Other exceptions of `call` pass through: the lease ends, and the sweep acts."""
    outcome: R | CallFailed
    try:
        outcome = await kind.call(runtime, held)
    except CallFailed as failure:
        _log.warning(
            "outbound call failed", job=kind.name, entity_id=str(held.entity_id), error_code=failure.code.value
        )
        outcome = failure
    if kind.breaking is not None and held.breaker_key is not None:
        if isinstance(outcome, CallPostponed):
            runtime.breakers.failed(held.breaker_key, kind.breaking.rule)
        else:
            runtime.breakers.succeeded(held.breaker_key)
    return outcome


def job_of(kind: OutboundKind[Any, Any, Any]) -> Job:
    """The job that makes one attempt."""

    async def handle(runtime: Runtime, principal: Principal, ids: dict[str, uuid.UUID]) -> None:
        await run_attempt(kind, runtime, principal, ids["entity_id"])

    return Job(kind.name, handle)


async def take_up_expired(kinds: Sequence[OutboundKind[Any, Any, Any]], runtime: Runtime) -> None:
    """Take up every ended lease, each in its own unit of work. A failure does not delay the others."""
    for kind in kinds:
        async with runtime.system_unit_of_work() as system:
            expired = await get_cross_tenant_for_admin_only_with_expired_lease(system, kind.repository.entity, utcnow())
        for row in expired:
            try:
                async with runtime.unit_of_work(Principal.system(TenantId(row["tenant_id"]))) as uow:
                    await Attempts(uow, kind).take_up(row["id"])
            except Exception as error:
                _log.error("ended lease not taken up", job=kind.name, entity_id=str(row["id"]), exc_info=error)


def sweep_of(kinds: Sequence[OutboundKind[Any, Any, Any]]) -> Schedule:
    """The one schedule that takes up ended leases of all kinds."""
    return Schedule("outbound.take_up_expired", "*/5 * * * *", partial(take_up_expired, tuple(kinds)))
