"""Webhook receipts that have no agency: `python -m scripts.receipts list|assign <id> <slug>|ignore <id> <reason>`.

`list` prints them as JSON, oldest first. `assign` gives one to an agency, whose audit log says so, and processes it at
once. `ignore` settles one for good; the reason stays with it. Connects as the service does (DATABASE_URL,
SYSTEM_DATABASE_URL).
"""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import Sequence
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import configure_mappers

from app.core.clock import utcnow
from app.core.config import Settings
from app.core.errors import ServiceUnavailable
from app.core.inbox.providers import WebhookProvider
from app.core.inbox.repository import (
    Pending,
    ReceiptRepository,
    assign,
    find_pending,
    get_cross_tenant_for_admin_only_unclaimed,
    ignore_unclaimed,
)
from app.core.inbox.settling import settle
from app.core.logging import get_logger
from app.core.permissions import Principal
from app.core.runtime import Runtime, build_runtime
from app.core.schemas import Why
from app.core.tenants.repository import get_cross_tenant_for_admin_only_by_slug
from app.registry import COMPOSITION, WEBHOOKS, load_settings

MOST = 1000

_REASON: TypeAdapter[str] = TypeAdapter(Why)
_log = get_logger(__name__)


class ReceiptRefused(Exception):
    """Says why, in plain words. Nothing was changed."""


class Receipts:
    """What the operator may do with receipts that have no tenant."""

    def __init__(self, runtime: Runtime, providers: Sequence[WebhookProvider[Any]]) -> None:
        self._runtime = runtime
        self._providers = {provider.name: provider for provider in providers}

    async def list(self) -> list[dict[str, Any]]:
        """At most MOST, oldest first. `next_attempt_at` is null where the service has given up."""
        async with self._runtime.system_unit_of_work() as system:
            rows = await get_cross_tenant_for_admin_only_unclaimed(system, MOST)
        shown = ("id", "provider", "event_id", "raw_hash", "created_at", "attempts", "next_attempt_at")
        return [{name: row[name] for name in shown} for row in rows]

    async def assign(self, receipt_id: uuid.UUID, slug: str) -> dict[str, Any]:
        """The receipt as it is afterwards. Raises ReceiptRefused: no such receipt, tenant or provider."""
        async with self._runtime.system_unit_of_work() as system:
            pending = self._unclaimed(await find_pending(system, receipt_id))
            provider = self._providers.get(pending.provider)
            if provider is None:
                raise ReceiptRefused("The service does not know this provider any more.")
            tenant_id = await get_cross_tenant_for_admin_only_by_slug(system, slug)
            if tenant_id is None:
                raise ReceiptRefused("There is no tenant of this slug.")
            if await assign(system, pending, tenant_id, utcnow(), by="operator") != tenant_id:
                raise ReceiptRefused("The receipt was settled or given to another tenant meanwhile.")
        async with self._runtime.system_unit_of_work() as system:
            assigned = await find_pending(system, receipt_id)
        if assigned is not None:
            try:
                await settle(self._runtime, provider, assigned)
            except ServiceUnavailable:
                _log.warning("webhook not finished", entity_id=str(receipt_id))  # the job tries again
        async with self._runtime.read_unit_of_work(Principal.system(tenant_id)) as uow:
            receipt = await ReceiptRepository(uow).get(tenant_id, receipt_id)
        return {"id": receipt.id, "slug": slug, "status": receipt.status, "failure": receipt.failure}

    async def ignore(self, receipt_id: uuid.UUID, reason: str) -> dict[str, Any]:
        """The receipt as it is afterwards. Raises ReceiptRefused: no such receipt, no usable reason."""
        try:
            checked = _REASON.validate_python(reason)
        except ValidationError as error:
            raise ReceiptRefused("Give a reason of at most 500 characters.") from error
        async with self._runtime.system_unit_of_work() as system:
            if not await ignore_unclaimed(system, receipt_id, checked):
                raise ReceiptRefused("There is no such receipt without a tenant.")
        _log.warning("webhook ignored by the operator", entity_id=str(receipt_id))
        return {"id": receipt_id, "status": "ignored", "reason": checked}

    @staticmethod
    def _unclaimed(pending: Pending | None) -> Pending:
        if pending is None or pending.tenant_id is not None:
            raise ReceiptRefused("There is no such receipt without a tenant.")
        return pending


async def operate(settings: Settings, arguments: Sequence[str]) -> Any:
    """What is to be printed. Raises ReceiptRefused."""
    configure_mappers()
    runtime = build_runtime(settings, COMPOSITION)
    try:
        receipts = Receipts(runtime, WEBHOOKS)
        match arguments:
            case ["list"]:
                return await receipts.list()
            case ["assign", receipt_id, slug]:
                return await receipts.assign(_id(receipt_id), slug)
            case ["ignore", receipt_id, reason]:
                return await receipts.ignore(_id(receipt_id), reason)
            case _:
                raise ReceiptRefused(str(__doc__))
    finally:
        await runtime.close()


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise ReceiptRefused("The id of a receipt is a UUID.") from error


if __name__ == "__main__":
    try:
        told = asyncio.run(operate(load_settings(), sys.argv[1:]))
        print(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    except ReceiptRefused as refused:
        sys.exit(f"Nothing was changed. {refused}")
