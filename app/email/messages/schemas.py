"""Messages as administrators see them: the outcome of each, never its text."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from app.core.schemas import EntityRead
from app.email.failures import FailureCode
from app.email.messages.lifecycle import EmailStatus


class MessageRead(EntityRead):
    template: str
    template_version: int
    recipient: str
    status: EmailStatus
    allowed_actions: list[str]
    attempts: int
    sent_at: dt.datetime | None
    failure_code: FailureCode | None = Field(
        description="Why it failed, why the last attempt did not succeed, or what was reported after it was sent"
    )
