"""Settles a received event: in the request that brought it, in the job, or for the operator."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Any

from app.core.clock import utcnow
from app.core.db.uow import UnitOfWork
from app.core.errors import AppError, Conflict, ServiceUnavailable
from app.core.http import as_app_error
from app.core.ids import TenantId
from app.core.inbox.lifecycle import ReceiptAction, ReceiptStatus, receipt_lifecycle
from app.core.inbox.providers import WebhookProvider
from app.core.inbox.repository import (
    Pending,
    ReceiptRepository,
    assign,
    ignore_unclaimed,
    stop_trying,
    take_due,
)
from app.core.jobs.queue import Schedule
from app.core.logging import get_logger
from app.core.permissions import Principal
from app.core.runtime import Runtime

MAX_ATTEMPTS = 20
"""After so many attempts of the job (most of a day) the receipt is `failed`. Administrators see it."""
UNCLAIMED_AGE = dt.timedelta(days=1)
"""The job looks for the tenant of an event for this time. Then the operator is told."""
BATCH = 500
NO_INTEREST = "of no interest"

_PASSING: dict[type[AppError], int] = {ServiceUnavailable: MAX_ATTEMPTS, Conflict: 3}
"""Errors that may pass, and the number of the job's attempts after which the receipt fails."""
_log = get_logger(__name__)


async def settle(runtime: Runtime, provider: WebhookProvider[Any], pending: Pending) -> bool:
    """Find the tenant, then apply the event there or record the failure. False while the tenant is unknown.

    Raises ServiceUnavailable when another attempt may succeed; the receipt stays `received`.
    """
    tenant_id = pending.tenant_id
    if tenant_id is None:
        tenant_id = await _find_tenant(runtime, provider, pending)
        if tenant_id is None:
            return False
        pending = dataclasses.replace(pending, tenant_id=tenant_id, attempts=0)  # so far they sought the tenant
    try:
        async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
            await _take_effect(uow, provider, pending)
    except Exception as error:
        await _record_failure(runtime, tenant_id, pending, as_app_error(error))
    return True


async def _find_tenant(runtime: Runtime, provider: WebhookProvider[Any], pending: Pending) -> TenantId | None:
    async with runtime.system_unit_of_work() as system:
        tenant_id = await provider.find_tenant(system, pending.body)
        if tenant_id is not None:
            return await assign(system, pending, tenant_id, utcnow(), by="provider")
        if not provider.interests(pending.body):
            await ignore_unclaimed(system, pending.id, NO_INTEREST)
    return None


async def _take_effect(uow: UnitOfWork, provider: WebhookProvider[Any], pending: Pending) -> None:
    """Write the effect and the receipt's new status in one transaction.

    Nothing happens when the receipt is settled, or while another delivery or the job holds it. If that one fails,
    the job tries again.
    """
    receipt = await ReceiptRepository(uow).find_idle_for_update(uow.tenant_id, pending.id)
    if receipt is None or receipt.status is not ReceiptStatus.RECEIVED:
        return
    if not provider.interests(pending.body):
        await receipt_lifecycle.fire(uow, receipt, ReceiptAction.IGNORE, None, reason=NO_INTEREST)
        return
    await provider.effect(uow, pending.body)
    await receipt_lifecycle.fire(uow, receipt, ReceiptAction.PROCESS, None, processed_at=utcnow())


async def _record_failure(runtime: Runtime, tenant_id: TenantId, pending: Pending, error: AppError) -> None:
    """Mark the receipt `failed`, with the error's code.

    Raises ServiceUnavailable instead when the error may pass and the job has attempts left.
    """
    if pending.attempts < max((tries for kind, tries in _PASSING.items() if isinstance(error, kind)), default=0):
        raise ServiceUnavailable
    _log.error("webhook failed", entity_id=str(pending.id), handler=pending.provider, error_code=error.code)
    async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
        receipt = await ReceiptRepository(uow).get_for_update(tenant_id, pending.id)
        if receipt.status is ReceiptStatus.RECEIVED:  # a copy of the event may have succeeded meanwhile
            await receipt_lifecycle.fire(uow, receipt, ReceiptAction.FAIL, None, failure=error.code)


async def finish_due(providers: Sequence[WebhookProvider[Any]], runtime: Runtime) -> None:
    """Try every receipt that is due, each on its own. A receipt that fails does not delay the others."""
    by_name = {provider.name: provider for provider in providers}
    started = utcnow()
    for _ in range(BATCH):
        async with runtime.system_unit_of_work() as system:
            pending = await take_due(system, started)
        if pending is None:
            return
        try:
            if not await settle(runtime, by_name[pending.provider], pending):
                await _raise_if_old(runtime, pending)
        except Exception as error:
            _log.warning("webhook not finished", entity_id=str(pending.id), attempt=pending.attempts, exc_info=error)


async def _raise_if_old(runtime: Runtime, pending: Pending) -> None:
    if utcnow() - pending.created_at < UNCLAIMED_AGE:
        return
    async with runtime.system_unit_of_work() as system:
        await stop_trying(system, pending.id)
    _log.error("webhook without tenant", entity_id=str(pending.id), handler=pending.provider)


def finishing(providers: Sequence[WebhookProvider[Any]]) -> Schedule:
    """The job finishes receipts that a crash interrupted, that were replayed, or that came before their tenant."""
    return Schedule("inbox.finish", "* * * * *", partial(finish_due, providers))
