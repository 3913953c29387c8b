"""Insert first, then act: a webhook sent two hundred times is stored once and takes effect once (directive 1.7, 14)."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core.clock import utcnow
from app.core.db.sql import CompiledStatement
from app.core.db.system import SystemUnitOfWork
from app.core.db.uow import UnitOfWork
from app.core.ids import TenantId, new_id
from app.core.inbox.lifecycle import ReceiptAction, ReceiptStatus, receipt_lifecycle
from app.core.inbox.models import Provider, WebhookReceipt
from app.core.repository import Repository

_table: Any = WebhookReceipt.__table__


def _bind(name: str) -> Any:
    return sa.bindparam(name, type_=_table.c[name].type)


_RECEIVE = CompiledStatement(
    insert(_table)
    .values({name: _bind(name) for name in ("id", "provider", "event_id", "raw_hash", "status")})
    .on_conflict_do_nothing(index_elements=["provider", "event_id"])
    .returning(_table.c.id)
)
_FIND = CompiledStatement(
    sa.select(_table.c.id).where(_table.c.provider == _bind("provider"), _table.c.event_id == _bind("event_id"))
)
_ASSIGN = CompiledStatement(
    sa.update(_table)
    .where(_table.c.id == _bind("id"), _table.c.tenant_id.is_(None))
    .values(tenant_id=_bind("tenant_id"))
)


class ReceiptRepository(Repository[WebhookReceipt]):
    entity = WebhookReceipt
    filters = ("status", "provider")


async def receive(system: SystemUnitOfWork, provider: Provider, event_id: str, raw_body: bytes) -> uuid.UUID:
    """Store the receipt of an event whose signature is verified, or find the one stored before; its id.

    Only a hash of the body is kept. The caller commits `system` before it processes.
    """
    values = {
        "id": new_id(),
        "provider": provider,
        "event_id": event_id,
        "raw_hash": hashlib.sha256(raw_body).hexdigest(),
        "status": ReceiptStatus.RECEIVED,
    }
    row = await system.fetch_row(_RECEIVE, values) or await system.fetch_row(_FIND, values)
    receipt_id: uuid.UUID = row["id"]
    return receipt_id


async def assign(system: SystemUnitOfWork, receipt_id: uuid.UUID, tenant_id: TenantId) -> None:
    """Give the receipt to the tenant that the event concerns; from then on that tenant's rows only."""
    await system.fetch(_ASSIGN, {"id": receipt_id, "tenant_id": tenant_id})


async def process(uow: UnitOfWork, receipt_id: uuid.UUID, effect: Callable[[], Awaitable[None]]) -> bool:
    """Lock the receipt; run `effect` and mark it processed in the same transaction. False when it was done before.

    An effect that raises leaves the receipt as received: the provider sends again, or `mark_failed` records why.
    """
    receipt = await ReceiptRepository(uow).get_for_update(uow.tenant_id, receipt_id)
    if receipt.status is not ReceiptStatus.RECEIVED:
        return False
    await effect()
    await receipt_lifecycle.fire(uow, receipt, ReceiptAction.PROCESS, None, processed_at=utcnow())
    return True


async def mark_failed(uow: UnitOfWork, receipt_id: uuid.UUID, failure: str) -> None:
    """Record that the effect failed; `failure` is an error code, never a message that may quote the event."""
    receipt = await ReceiptRepository(uow).get_for_update(uow.tenant_id, receipt_id)
    if receipt.status is ReceiptStatus.RECEIVED:
        await receipt_lifecycle.fire(uow, receipt, ReceiptAction.FAIL, None, failure=failure)
