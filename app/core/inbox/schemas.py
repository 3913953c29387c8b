"""Receipts as administrators see them: source and outcome, never the content."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from app.core.inbox.lifecycle import ReceiptAction, ReceiptStatus
from app.core.schemas import EntityRead, RequestModel, Version

Provider = Annotated[str, Field(max_length=40, pattern=r"^[a-z0-9_]+$", examples=["ses"])]


class ReceiptRead(EntityRead):
    provider: str
    event_id: str = Field(description="The provider's own id of the event")
    raw_hash: str = Field(description="SHA-256 of the body, in hexadecimal")
    status: ReceiptStatus
    processed_at: dt.datetime | None
    failure: str | None = Field(description="The code of the error that the effect ended in", examples=["NOT_FOUND"])
    allowed_actions: list[str] = Field(description="Transitions that this administrator may fire now")


class ReceiptTransitionRequest(RequestModel):
    action: Literal[ReceiptAction.REPLAY]
    version: Version
