"""Sending a message is an outbound attempt (app.core.outbound, ADR 0009), and later notices report its outcome.

A process that dies between the provider's acceptance and the record leaves the message `sending`. A notice with our
tag records it as sent. Without one the lease ends and it is sent again: only such a message is sent twice.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.db.uow import UnitOfWork
from app.core.outbound.kind import Backoff, HeldAttempt, Moves, OutboundKind, Refuse
from app.core.outbound.service import Attempts
from app.core.runtime import Runtime
from app.email.catalogue import Source
from app.email.failures import FailureCode
from app.email.gateway import MAIL, Mail
from app.email.messages.lifecycle import EmailStatus, EmailTransition, email_lifecycle
from app.email.messages.models import EmailMessage
from app.email.messages.repository import MessageRepository
from app.email.rendering import render_stored
from app.email.settings import EmailSettings
from app.email.suppressions.models import SuppressionReason
from app.email.suppressions.service import SuppressionService, is_suppressed

LEASE = dt.timedelta(minutes=15)
MAX_ATTEMPTS = 8


class MessageAction(AuditAction):
    QUEUED = "email_message.queued"
    TAKEN_UP = "email_message.taken_up"
    NOTICED = "email_message.noticed"


@dataclass(frozen=True, slots=True)
class Letter:
    """The facts of the message that the sender needs."""

    template: str
    template_version: int
    recipient: str = field(repr=False)
    context: dict[str, Any] = field(repr=False)


async def _admit(uow: UnitOfWork, message: EmailMessage) -> Refuse | None:
    return Refuse(FailureCode.SUPPRESSED) if await is_suppressed(uow, message.recipient) else None


async def _letter(_: UnitOfWork, message: EmailMessage) -> Letter:
    return Letter(message.template, message.template_version, message.recipient, message.context_json)


async def _send(runtime: Runtime, held: HeldAttempt[Letter]) -> str | None:
    """The provider's id of the message. Raises MailRefused, MailPostponed."""
    letter = held.material
    source = Source(held.tenant_id, runtime.keys, runtime.settings.group(EmailSettings).public_address)
    rendered = render_stored(letter.template, letter.template_version, letter.context, source)
    sender = await runtime.gateways.reach(MAIL)
    return await sender.send(Mail(held.entity_id, letter.recipient, rendered.subject, rendered.text, rendered.html))


async def _accepted(_: UnitOfWork, __: EmailMessage, provider_message_id: str | None) -> dict[str, Any]:
    return {"provider_message_id": provider_message_id, "sent_at": utcnow()}


MESSAGES: OutboundKind[EmailMessage, Letter, str | None] = OutboundKind(
    name="email.send",
    repository=MessageRepository,
    lifecycle=email_lifecycle,
    moves=Moves(
        start=EmailTransition.START,
        succeed=EmailTransition.ACCEPT,
        fail=EmailTransition.FAIL,
        retry=EmailTransition.RETRY,
    ),
    requeued=MessageAction.TAKEN_UP,
    lease_expired=FailureCode.LEASE_EXPIRED,
    lease=LEASE,
    max_attempts=MAX_ATTEMPTS,
    backoff=Backoff(dt.timedelta(seconds=30), 4, dt.timedelta(hours=1)),
    material=_letter,
    call=_send,
    record=_accepted,
    admit=_admit,
)


class Delivery:
    """Records what notices say of a message, each in one unit of work. A notice that comes too late is no error."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._messages = MessageRepository(uow)
        self._attempts = Attempts(uow, MESSAGES)

    async def accepted(self, message_id: uuid.UUID, provider_message_id: str | None) -> None:
        """The provider has the message. If it was queued again meanwhile, it is not sent again."""
        await self._attempts.succeeded(message_id, provider_message_id)

    async def bounced(self, message_id: uuid.UUID, provider_message_id: str | None, *, for_good: bool) -> None:
        """A permanent bounce suppresses the recipient; after a transient one the provider goes on trying."""
        message = await self._noticed(message_id, provider_message_id)
        if for_good:
            await self._suppress(message, SuppressionReason.BOUNCE)
        if message.status is not EmailStatus.SENT:
            return
        if for_good:
            await self._fire(message, EmailTransition.BOUNCE, FailureCode.PERMANENT_BOUNCE)
            return
        async with self._uow.change(message, MessageAction.NOTICED):
            message.failure_code = FailureCode.TRANSIENT_BOUNCE

    async def complained(self, message_id: uuid.UUID, provider_message_id: str | None) -> None:
        """The recipient called the message spam. Nothing more is sent to this address."""
        message = await self._noticed(message_id, provider_message_id)
        await self._suppress(message, SuppressionReason.COMPLAINT)
        if message.status is EmailStatus.SENT:
            await self._fire(message, EmailTransition.COMPLAIN, FailureCode.COMPLAINT)

    async def _noticed(self, message_id: uuid.UUID, provider_message_id: str | None) -> EmailMessage:
        """The message, locked. Any notice about it means that the provider has accepted it."""
        message = await self._messages.get_for_update(self._uow.tenant_id, message_id)
        await self._attempts.settle(message, provider_message_id)
        return message

    async def _fire(self, message: EmailMessage, transition: EmailTransition, code: FailureCode) -> None:
        await email_lifecycle.fire(self._uow, message, transition, None, failure_code=code)

    async def _suppress(self, message: EmailMessage, reason: SuppressionReason) -> None:
        """Suppress the message's one recipient. The addresses in the notice are not read."""
        await SuppressionService(self._uow).suppress(message.recipient, reason, message.id)
