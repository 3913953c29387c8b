"""Sessions as their users and administrators read them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from pydantic import Field

from app.core.schemas import ReadModel
from app.core.sessions.models import UserSession


class SessionRead(ReadModel):
    id: uuid.UUID
    user_id: uuid.UUID
    device_id: uuid.UUID | None = Field(description="Of the device, as its client named it; null where it did not")
    device_name: str | None
    locks_itself: bool = Field(description="True if the client said that it locks its screen by itself")
    signed_in_at: dt.datetime
    refreshed_at: dt.datetime = Field(description="The last refresh, or the sign-in")
    expires_at: dt.datetime = Field(description="The session ends then, however busy it is")
    is_present: bool = Field(description="True for the session that asks")

    @classmethod
    def of(cls, session: UserSession, present: uuid.UUID | None) -> Self:
        return cls(
            id=session.id,
            user_id=session.user_id,
            device_id=session.device_id,
            device_name=session.device_name,
            locks_itself=session.locks_itself,
            signed_in_at=session.created_at,
            refreshed_at=session.rotated_at,
            expires_at=session.expires_at,
            is_present=session.id == present,
        )
