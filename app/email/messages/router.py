"""GET email/messages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from app.core.dependencies import requires
from app.core.filters import From, OneOf, To
from app.core.pagination import Page, PagingQuery
from app.core.tags import Tag
from app.email.messages.lifecycle import EmailStatus
from app.email.messages.schemas import MessageRead
from app.email.messages.service import MessageReads
from app.email.permissions import EMAIL_READ

TAG = Tag("email", "Transactional e-mail and suppressed addresses.")
router = APIRouter(prefix="/email/messages", tags=["email"])


@router.get("", dependencies=[requires(EMAIL_READ)])
async def list_messages(
    messages: MessageReads,
    paging: PagingQuery,
    status: OneOf[EmailStatus] = None,
    template: OneOf[Annotated[str, Field(max_length=60, pattern=r"^[a-z_]+$")]] = None,
    created_at_from: From = None,
    created_at_to: To = None,
) -> Page[MessageRead]:
    """What became of the agency's e-mails, newest first. Their texts are not kept."""
    return await messages.list_page(
        paging,
        status=status,
        template=template,
        created_at_from=created_at_from,
        created_at_to=created_at_to,
    )
