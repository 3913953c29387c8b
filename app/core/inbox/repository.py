"""Statements on receipts and their bodies. The system's statements also write their audit rows."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core.audit.models import AuditEvent
from app.core.context import current_request_id
from app.core.db.plan import plan_of
from app.core.db.sql import CompiledStatement
from app.core.db.system import SystemUnitOfWork
from app.core.ids import TenantId, new_id
from app.core.inbox.lifecycle import ReceiptAuditAction, ReceiptStatus
from app.core.inbox.models import WebhookBody, WebhookReceipt
from app.core.repository import Repository

FIRST_DELAY = dt.timedelta(minutes=1)
LONGEST_DELAY = dt.timedelta(hours=1)

_receipts: Any = WebhookReceipt.__table__
_bodies: Any = WebhookBody.__table__
_audit: Any = AuditEvent.__table__


class ReceiptRepository(Repository[WebhookReceipt]):
    entity = WebhookReceipt
    filters = ("status", "provider")
    ranges = ("created_at",)

    async def find_idle_for_update(self, tenant_id: TenantId, receipt_id: uuid.UUID) -> WebhookReceipt | None:
        """Locks the receipt. None while somebody else holds it; the call never waits."""
        return await self._one(_IDLE, tenant_id, receipt_id)


@dataclass(frozen=True, slots=True)
class Pending:
    """A receipt that is `received`. `attempts` counts the job's."""

    id: uuid.UUID
    provider: str
    event_id: str
    raw_hash: str
    tenant_id: TenantId | None
    created_at: dt.datetime
    attempts: int
    body: bytes = field(repr=False)


def _bind(name: str, column: Any) -> Any:
    return sa.bindparam(name, type_=column.type)


def _told(action: str, of: Any, *where: Any) -> Any:
    """Write an audit row per row of `of` (id, tenant_id) that meets `where`. Parameters are named :<action>_id etc."""
    columns = {
        "id": _bind(f"{action}_id", _audit.c.id),
        "tenant_id": of.c.tenant_id,
        "entity_type": sa.literal(WebhookReceipt.entity_type),
        "entity_id": of.c.id,
        "action": _bind(f"{action}_action", _audit.c.action),
        "changed_fields_json": _bind(f"{action}_fields", _audit.c.changed_fields_json),
        "metadata_json": _bind(f"{action}_metadata", _audit.c.metadata_json),
        "request_id": _bind("request_id", _audit.c.request_id),
    }
    typed = [sa.cast(value, _audit.c[name].type) for name, value in columns.items()]
    return insert(_audit).from_select(list(columns), sa.select(*typed).where(*where)).cte(f"told_{action}")


def _receive() -> sa.Select[Any]:
    names = ("id", "tenant_id", "provider", "event_id", "raw_hash", "status")
    received = (
        insert(_receipts)
        .values({name: _bind(name, _receipts.c[name]) for name in names})
        .on_conflict_do_nothing(index_elements=["provider", "event_id"])
        .returning(_receipts.c.id, _receipts.c.tenant_id)
        .cte("received")
    )
    kept = insert(_bodies).from_select(
        ["receipt_id", "body", "next_attempt_at"],
        sa.select(
            received.c.id,
            sa.cast(_bind("body", _bodies.c.body), _bodies.c.body.type),
            sa.cast(_bind("next_attempt_at", _bodies.c.next_attempt_at), _bodies.c.next_attempt_at.type),
        ),
    )
    told = _told("received", received, received.c.tenant_id.isnot(None))
    return sa.select(received.c.id).add_cte(kept.cte("kept"), told)


def _assign() -> sa.Select[Any]:
    assigned = (
        sa.update(_receipts)
        .where(
            _receipts.c.id == _bind("id", _receipts.c.id),
            _receipts.c.tenant_id.is_(None),
            _receipts.c.status == sa.literal_column("'received'"),
        )
        .values(
            tenant_id=_bind("tenant_id", _receipts.c.tenant_id),
            version=_receipts.c.version + sa.literal_column("1"),
            updated_at=sa.func.now(),
        )
        .returning(_receipts.c.id, _receipts.c.tenant_id)
        .cte("assigned")
    )
    due = (
        sa.update(_bodies)
        .where(_bodies.c.receipt_id == assigned.c.id)
        .values(attempts=sa.literal_column("0"), next_attempt_at=_bind("next_attempt_at", _bodies.c.next_attempt_at))
        .cte("due")
    )
    return sa.select(assigned.c.tenant_id).add_cte(due, _told("received", assigned), _told("assigned", assigned))


_PENDING_COLUMNS = (
    _receipts.c.id,
    _receipts.c.provider,
    _receipts.c.event_id,
    _receipts.c.raw_hash,
    _receipts.c.tenant_id,
    _receipts.c.created_at,
)


def _pending(*where: Any) -> CompiledStatement:
    return CompiledStatement(
        sa.select(*_PENDING_COLUMNS, _bodies.c.attempts, _bodies.c.body)
        .join_from(_receipts, _bodies, _bodies.c.receipt_id == _receipts.c.id)
        .where(_receipts.c.status == sa.literal_column("'received'"), *where)
    )


def _take_due() -> sa.Select[Any]:
    """Select the receipt that has been due longest, and postpone its next attempt: a crash only delays it."""
    due = (
        sa.select(_bodies.c.receipt_id)
        .join(_receipts, _receipts.c.id == _bodies.c.receipt_id)
        .where(
            _receipts.c.status == sa.literal_column("'received'"),
            _bodies.c.next_attempt_at <= _bind("now", _bodies.c.next_attempt_at),
        )
        .order_by(_bodies.c.next_attempt_at)
        .limit(sa.literal_column("1"))
        .with_for_update(of=_bodies, skip_locked=True)
        .scalar_subquery()
    )
    seconds = sa.func.least(
        sa.bindparam("first_delay", type_=sa.Float) * sa.func.power(2.0, sa.func.least(_bodies.c.attempts, 10)),
        sa.bindparam("longest_delay", type_=sa.Float),
    )
    delay = sa.func.make_interval(*(sa.literal_column("0") for _ in range(6)), seconds)
    taken = (
        sa.update(_bodies)
        .where(_bodies.c.receipt_id == due)
        .values(attempts=_bodies.c.attempts + sa.literal_column("1"), next_attempt_at=sa.func.now() + delay)
        .returning(_bodies.c.receipt_id, _bodies.c.attempts, _bodies.c.body)
        .cte("taken")
    )
    return sa.select(*_PENDING_COLUMNS, taken.c.attempts, taken.c.body).join_from(
        _receipts, taken, taken.c.receipt_id == _receipts.c.id
    )


_IDLE = CompiledStatement(plan_of(WebhookReceipt).select_by_id().with_for_update(skip_locked=True))
_RECEIVE = CompiledStatement(_receive())
_ASSIGN = CompiledStatement(_assign())
_TAKE_DUE = CompiledStatement(_take_due())
_BY_EVENT = _pending(
    _receipts.c.provider == _bind("provider", _receipts.c.provider),
    _receipts.c.event_id == _bind("event_id", _receipts.c.event_id),
)
_BY_ID = _pending(_receipts.c.id == _bind("id", _receipts.c.id))
_OWNER = CompiledStatement(sa.select(_receipts.c.tenant_id).where(_receipts.c.id == _bind("id", _receipts.c.id)))
_IGNORE = CompiledStatement(
    sa.update(_receipts)  # lint: allow FQ103 (fire needs the unit of work of a tenant, and this receipt has none)
    .where(
        _receipts.c.id == _bind("id", _receipts.c.id),
        _receipts.c.tenant_id.is_(None),
        _receipts.c.status == sa.literal_column("'received'"),
    )
    .values(
        status=_bind("status", _receipts.c.status),
        reason=_bind("reason", _receipts.c.reason),
        version=_receipts.c.version + sa.literal_column("1"),
        updated_at=sa.func.now(),
    )
    .returning(_receipts.c.id)
)
_STOP = CompiledStatement(
    sa.update(_bodies)
    .where(_bodies.c.receipt_id == _bind("receipt_id", _bodies.c.receipt_id))
    .values(next_attempt_at=sa.null())
)
_UNCLAIMED = CompiledStatement(
    sa.select(*_PENDING_COLUMNS, _bodies.c.attempts, _bodies.c.next_attempt_at)
    .join_from(_receipts, _bodies, _bodies.c.receipt_id == _receipts.c.id, isouter=True)
    .where(_receipts.c.tenant_id.is_(None), _receipts.c.status == sa.literal_column("'received'"))
    .order_by(_receipts.c.created_at)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)


async def receive(
    system: SystemUnitOfWork, provider: str, event_id: str, body: bytes, tenant_id: TenantId | None, now: dt.datetime
) -> Pending | None:
    """Store the receipt of a verified event, or find the one stored before. None when the receipt is settled or failed.

    Only the id of a repeated delivery counts: the body that was stored first takes effect.
    The job leaves the receipt alone for FIRST_DELAY.
    """
    facts = {
        "provider": provider,
        "event_id": event_id,
        "raw_hash": hashlib.sha256(body).hexdigest(),
        "status": ReceiptStatus.RECEIVED,
    }
    values = {"id": new_id(), "tenant_id": tenant_id, "body": body, "next_attempt_at": now + FIRST_DELAY}
    await system.fetch_row(_RECEIVE, {**facts, **values, **_received(facts)})
    return _read(await system.fetch_row(_BY_EVENT, facts))


async def find_pending(system: SystemUnitOfWork, receipt_id: uuid.UUID) -> Pending | None:
    """The receipt, if it is `received` and its body is there."""
    return _read(await system.fetch_row(_BY_ID, {"id": receipt_id}))


async def take_due(system: SystemUnitOfWork, now: dt.datetime) -> Pending | None:
    """A receipt that the job must try, if there is one. The attempt is counted in any case."""
    values = {"now": now, "first_delay": FIRST_DELAY.total_seconds(), "longest_delay": LONGEST_DELAY.total_seconds()}
    return _read(await system.fetch_row(_TAKE_DUE, values))


async def assign(
    system: SystemUnitOfWork, pending: Pending, tenant_id: TenantId, now: dt.datetime, *, by: str
) -> TenantId | None:
    """Give the receipt to the event's tenant, unless it has one or is settled. Returns the tenant that it has now.

    The same statement writes the arrival and the assignment to the tenant's audit log. `by`: provider, operator.
    """
    facts = {
        "provider": pending.provider,
        "event_id": pending.event_id,
        "raw_hash": pending.raw_hash,
        "status": ReceiptStatus.RECEIVED,
    }
    arrival = _received(facts, {"received_at": pending.created_at.isoformat()})  # its id is the earlier one
    assignment = {
        "assigned_id": new_id(),
        "assigned_action": ReceiptAuditAction.ASSIGNED,
        "assigned_fields": {"tenant_id": [None, tenant_id]},
        "assigned_metadata": {"by": by},
    }
    values = {"id": pending.id, "tenant_id": tenant_id, "next_attempt_at": now + FIRST_DELAY}
    row = await system.fetch_row(_ASSIGN, {**arrival, **assignment, **values})
    row = row or await system.fetch_row(_OWNER, {"id": pending.id})
    return None if row is None or row["tenant_id"] is None else TenantId(row["tenant_id"])


async def ignore_unclaimed(system: SystemUnitOfWork, receipt_id: uuid.UUID, reason: str) -> bool:
    """Settle a receipt that has no tenant. It has no audit log, so it stores the reason. False when it has a tenant."""
    values = {"id": receipt_id, "status": ReceiptStatus.IGNORED, "reason": reason}
    return await system.fetch_row(_IGNORE, values) is not None


async def stop_trying(system: SystemUnitOfWork, receipt_id: uuid.UUID) -> None:
    """The job leaves the receipt to the operator from now on."""
    await system.fetch(_STOP, {"receipt_id": receipt_id})


async def get_cross_tenant_for_admin_only_unclaimed(system: SystemUnitOfWork, limit: int) -> list[Any]:
    """Receipts without a tenant, oldest first, without bodies. For the operator's list."""
    return await system.fetch(_UNCLAIMED, {"limit": limit})


def _received(facts: dict[str, Any], metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "request_id": current_request_id(),
        "received_id": new_id(),
        "received_action": ReceiptAuditAction.RECEIVED,
        "received_fields": {name: [None, value] for name, value in facts.items()},
        "received_metadata": metadata,
    }


def _read(row: Any) -> Pending | None:
    return None if row is None else Pending(**dict(row.items()))
