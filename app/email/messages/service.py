"""Queues messages, and lists them with their outcome."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import Depends

from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow
from app.core.outbound.service import Attempts
from app.core.outbound.turns import take_turn
from app.core.pagination import Page, Paging
from app.email.catalogue import C, Template
from app.email.messages.lifecycle import email_lifecycle
from app.email.messages.models import EmailMessage
from app.email.messages.repository import MessageRepository
from app.email.messages.schemas import MessageRead
from app.email.messages.sending import MESSAGES, MessageAction
from app.email.permissions import EMAIL_READ


async def enqueue(uow: UnitOfWork, template: Template[C], to: str, context: C, cause_id: uuid.UUID) -> uuid.UUID:
    """Queue the message, or find the one that `cause_id` caused before with this template. Returns its id.

    It exists, and is sent, if and only if `uow` commits. A suppressed or missing address is no error here: the message
    ends `failed` and gives the reason.
    """
    await take_turn(uow, "email", "cause", cause_id, template.name)
    earlier = await MessageRepository(uow).find_by_cause(uow.tenant_id, cause_id, template.name)
    if earlier is not None:
        return earlier
    attempts = Attempts(uow, MESSAGES)
    message = EmailMessage(
        tenant_id=uow.tenant_id,
        template=template.name,
        template_version=template.version,
        recipient=to.strip().lower(),
        context_json=context.model_dump(mode="json"),
        cause_id=cause_id,
        lease_until=attempts.first_lease(),
    )
    await uow.create(message, MessageAction.QUEUED)
    await attempts.queue(message)
    return message.id


class MessageReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._messages = MessageRepository(uow)

    async def list_page(self, paging: Paging, **filters: Any) -> Page[MessageRead]:
        self._uow.principal.require(EMAIL_READ)
        page = await self._messages.list_page(self._uow.tenant_id, paging, **filters)
        return Page(items=[self._present(message) for message in page.items], next_cursor=page.next_cursor)

    def _present(self, message: EmailMessage) -> MessageRead:
        return MessageRead.of(message, allowed_actions=email_lifecycle.allowed_actions(message, self._uow.principal))


async def message_reader(uow: ReadUow) -> MessageReader:
    return MessageReader(uow)


MessageReads = Annotated[MessageReader, Depends(message_reader)]
