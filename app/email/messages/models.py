"""email_messages: the template, the recipient and the cause of each message. The rendered text is never stored."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, internal, phi, plain, values_check
from app.core.db.entity import standard_constraints
from app.core.outbound.columns import OutboundEntity, lease_index
from app.email.failures import FailureCode
from app.email.messages.lifecycle import EmailStatus, email_lifecycle


class EmailMessage(OutboundEntity):
    """One per cause and template. `recipient` is in lower case.

    `context_json`: what the template's context model needs, as ids and plain words (names of people and agencies,
    times): no clinical content, no credential.
    """

    __tablename__ = "email_messages"
    entity_type: ClassVar[str] = "email_message"

    template: Mapped[str] = plain()
    template_version: Mapped[int] = plain()
    recipient: Mapped[str] = phi()
    context_json: Mapped[dict[str, Any]] = phi(heavy=True)
    cause_id: Mapped[uuid.UUID] = internal()
    status: Mapped[EmailStatus] = plain(EnumText(EmailStatus), default=EmailStatus.QUEUED)
    provider_message_id: Mapped[str | None] = plain(default=None)
    sent_at: Mapped[dt.datetime | None] = plain(default=None)
    failure_code: Mapped[FailureCode | None] = plain(EnumText(FailureCode), default=None)

    __table_args__ = (
        *standard_constraints("email_messages", "status", "template"),
        sa.UniqueConstraint("tenant_id", "cause_id", "template", name="uq_email_messages_cause"),
        lease_index("email_messages"),
        sa.Index(
            "ix_email_messages_provider_message_id",
            "provider_message_id",
            postgresql_where=sa.text("provider_message_id IS NOT NULL"),
        ),
        values_check("failure_code", FailureCode),
        email_lifecycle.check(),
    )
