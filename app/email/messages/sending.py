"""How a message gets on its way (ADR 0009): claim and commit → call the provider → record and commit.

A message has one holder at a time, for as long as its lease lasts. A process that dies between the provider's
acceptance and the record leaves it `sending`; a notice with our tag records it as sent, or else the lease ends and it
is sent again. So: at least once, and twice only there.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.core.clock import utcnow
from app.core.db.uow import UnitOfWork
from app.core.ids import TenantId
from app.core.jobs.queue import Job, Schedule, enqueue
from app.core.logging import get_logger
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.email.catalogue import Source
from app.email.failures import FailureCode, MailNotSent, MailPostponed
from app.email.gateway import MAIL, Mail
from app.email.messages.lifecycle import EmailStatus, EmailTransition, email_lifecycle
from app.email.messages.models import EmailMessage
from app.email.messages.repository import MessageRepository, get_cross_tenant_for_admin_only_with_expired_lease
from app.email.rendering import render_stored
from app.email.settings import EmailSettings
from app.email.suppressions.models import SuppressionReason
from app.email.suppressions.service import SuppressionService, is_suppressed

LEASE = dt.timedelta(minutes=15)
MAX_ATTEMPTS = 8
_FIRST_DELAY = dt.timedelta(seconds=30)
_LONGEST_DELAY = dt.timedelta(hours=1)

_log = get_logger(__name__)


class MessageAction(StrEnum):
    QUEUED = "email_message.queued"
    TAKEN_UP = "email_message.taken_up"
    NOTICED = "email_message.noticed"


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a sender needs to know of the message that it holds. `attempt` says whether it still does."""

    message_id: uuid.UUID
    attempt: int
    template: str
    template_version: int
    recipient: str = field(repr=False)
    context: dict[str, Any] = field(repr=False)


def retry_delay(attempts: int, code: FailureCode) -> dt.timedelta:
    """After so many attempts: 30 s, 2 min, 8 min, 32 min, then an hour.

    An attempt without an answer may have succeeded: a notice gets as long as a lease to say so.
    """
    delay: dt.timedelta = min(_FIRST_DELAY * 4 ** (attempts - 1), _LONGEST_DELAY)
    return max(delay, LEASE) if code is FailureCode.UNANSWERED else delay


async def queue_attempt(uow: UnitOfWork, message: EmailMessage, after: dt.timedelta = dt.timedelta()) -> None:
    """The job for the next attempt, in the transaction of its cause; one per attempt, whoever asks for it."""
    key = f"{SEND.name}:{message.id}:{message.attempts}"
    await enqueue(uow, SEND, {"message_id": message.id}, after=after or None, dedupe=key)


class Delivery:
    """The steps of one unit of work each. Transitions that come too late for the present state are no errors."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._messages = MessageRepository(uow)

    async def claim(self, message_id: uuid.UUID) -> Claimed | None:
        """Hold the message for LEASE. None when it is not queued (any more), or its recipient is suppressed."""
        message = await self._messages.find_for_update(self._uow.tenant_id, message_id)
        if message is None or message.status is not EmailStatus.QUEUED:
            return None
        await self._fire(message, EmailTransition.START, attempts=message.attempts + 1, lease_until=utcnow() + LEASE)
        if await is_suppressed(self._uow, message.recipient):
            await self._fail(message, FailureCode.SUPPRESSED)
            return None
        return Claimed(
            message.id,
            message.attempts,
            message.template,
            message.template_version,
            message.recipient,
            message.context_json,
        )

    async def accepted(self, message_id: uuid.UUID, provider_message_id: str | None) -> None:
        """The provider has it. One that was queued anew meanwhile is not sent again."""
        message = await self._messages.get_for_update(self._uow.tenant_id, message_id)
        await self._accept(message, provider_message_id)

    async def not_sent(self, claimed: Claimed, failure: MailNotSent) -> None:
        """Queue the next attempt, or give up. Nothing, if the message has another holder by now."""
        message = await self._messages.get_for_update(self._uow.tenant_id, claimed.message_id)
        if message.status is not EmailStatus.SENDING or message.attempts != claimed.attempt:
            return
        if isinstance(failure, MailPostponed):
            await self._retry(message, failure.code, retry_delay(message.attempts, failure.code))
        else:
            await self._fail(message, failure.code)

    async def take_up(self, message_id: uuid.UUID) -> None:
        """Whose lease has ended: its sender died, or its job was lost."""
        message = await self._messages.find_for_update(self._uow.tenant_id, message_id)
        if message is None or message.lease_until is None or message.lease_until > utcnow():
            return
        if message.status is EmailStatus.SENDING:
            await self._retry(message, FailureCode.LEASE_EXPIRED, dt.timedelta())
            return
        async with self._uow.change(message, MessageAction.TAKEN_UP):
            message.lease_until = utcnow() + LEASE
        await queue_attempt(self._uow, message)

    async def bounced(self, message_id: uuid.UUID, provider_message_id: str | None, *, for_good: bool) -> None:
        """A permanent bounce suppresses the recipient; after a transient one the provider goes on trying."""
        message = await self._messages.get_for_update(self._uow.tenant_id, message_id)
        await self._accept(message, provider_message_id)
        if for_good:
            await self._suppress(message, SuppressionReason.BOUNCE)
        if message.status is not EmailStatus.SENT:
            return
        if for_good:
            await self._fire(message, EmailTransition.BOUNCE, failure_code=FailureCode.PERMANENT_BOUNCE)
            return
        async with self._uow.change(message, MessageAction.NOTICED):
            message.failure_code = FailureCode.TRANSIENT_BOUNCE

    async def complained(self, message_id: uuid.UUID, provider_message_id: str | None) -> None:
        """The recipient called it spam: nothing more is sent there."""
        message = await self._messages.get_for_update(self._uow.tenant_id, message_id)
        await self._accept(message, provider_message_id)
        await self._suppress(message, SuppressionReason.COMPLAINT)
        if message.status is EmailStatus.SENT:
            await self._fire(message, EmailTransition.COMPLAIN, failure_code=FailureCode.COMPLAINT)

    async def _accept(self, message: EmailMessage, provider_message_id: str | None) -> None:
        if message.status is EmailStatus.QUEUED and message.attempts:
            await self._fire(message, EmailTransition.START)
        if message.status is EmailStatus.SENDING:
            await self._fire(
                message,
                EmailTransition.ACCEPT,
                provider_message_id=provider_message_id,
                sent_at=utcnow(),
                failure_code=None,
                lease_until=None,
            )

    async def _retry(self, message: EmailMessage, code: FailureCode, delay: dt.timedelta) -> None:
        if message.attempts >= MAX_ATTEMPTS:
            await self._fail(message, code)
            return
        lease_until = utcnow() + delay + LEASE
        await self._fire(message, EmailTransition.RETRY, failure_code=code, lease_until=lease_until)
        await queue_attempt(self._uow, message, delay)

    async def _fail(self, message: EmailMessage, code: FailureCode) -> None:
        await self._fire(message, EmailTransition.FAIL, failure_code=code, lease_until=None)

    async def _fire(self, message: EmailMessage, transition: EmailTransition, **also: Any) -> None:
        await email_lifecycle.fire(self._uow, message, transition, None, **also)

    async def _suppress(self, message: EmailMessage, reason: SuppressionReason) -> None:
        """The notice's own addresses are not read: a message has one recipient."""
        await SuppressionService(self._uow).suppress(message.recipient, reason, message.id)


async def send_message(runtime: Runtime, principal: Principal, message_id: uuid.UUID) -> None:
    """One attempt. No transaction is open while the provider is called."""
    async with runtime.unit_of_work(principal) as uow:
        claimed = await Delivery(uow).claim(message_id)
    if claimed is None:
        return
    provider_message_id, failure = await _attempt(runtime, principal.tenant_id, claimed)
    async with runtime.unit_of_work(principal) as uow:
        if failure is None:
            await Delivery(uow).accepted(message_id, provider_message_id)
        else:
            await Delivery(uow).not_sent(claimed, failure)


async def _attempt(runtime: Runtime, tenant_id: TenantId, claimed: Claimed) -> tuple[str | None, MailNotSent | None]:
    source = Source(tenant_id, runtime.keys, runtime.settings.group(EmailSettings).app_url)
    try:
        rendered = render_stored(claimed.template, claimed.template_version, claimed.context, source)
        sender = await runtime.gateways.reach(MAIL)
        mail = Mail(claimed.message_id, claimed.recipient, rendered.subject, rendered.text, rendered.html)
        return await sender.send(mail), None
    except MailNotSent as failure:
        _log.warning("mail not sent", entity_id=str(claimed.message_id), error_code=failure.code.value)
        return None, failure


async def _send(runtime: Runtime, principal: Principal, payload: dict[str, Any]) -> None:
    await send_message(runtime, principal, uuid.UUID(payload["message_id"]))


async def take_up_expired(runtime: Runtime) -> None:
    """Each in its own unit of work; one that cannot be taken up does not keep the others waiting."""
    async with runtime.system_unit_of_work() as system:
        expired = await get_cross_tenant_for_admin_only_with_expired_lease(system, utcnow())
    for row in expired:
        try:
            async with runtime.unit_of_work(Principal.system(TenantId(row["tenant_id"]))) as uow:
                await Delivery(uow).take_up(row["id"])
        except Exception as error:
            _log.error("mail not taken up", entity_id=str(row["id"]), exc_info=error)


SEND = Job("email.send", _send)
TAKE_UP_EXPIRED = Schedule("email.take_up_expired", "*/5 * * * *", take_up_expired)
