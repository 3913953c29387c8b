"""user_sessions: one row per sign-in, the family of its refresh tokens."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, internal, plain, secret
from app.core.db.entity import TenantEntity, standard_constraints
from app.core.sessions.lifecycle import SessionStatus, session_lifecycle


class UserSession(TenantEntity):
    """`generation` counts refreshes. Only the refresh token of the present generation is good.

    `rotation_key` is the digest of the Idempotency-Key under which the last refresh was asked for. `device_id`,
    `device_name` and `locks_itself` are what the client said of its device at the sign-in.
    """

    __tablename__ = "user_sessions"
    entity_type: ClassVar[str] = "user_session"

    user_id: Mapped[uuid.UUID] = internal()
    status: Mapped[SessionStatus] = plain(EnumText(SessionStatus), default=SessionStatus.ACTIVE)
    generation: Mapped[int] = plain(default=0, server_default=sa.text("0"))
    rotated_at: Mapped[dt.datetime] = plain()
    rotation_key: Mapped[str | None] = secret(default=None)
    expires_at: Mapped[dt.datetime] = plain()
    ended_at: Mapped[dt.datetime | None] = plain(default=None)
    end_reason: Mapped[str | None] = plain(default=None)
    device_id: Mapped[uuid.UUID | None] = plain(default=None)
    device_name: Mapped[str | None] = plain(default=None)
    locks_itself: Mapped[bool] = plain(default=False, server_default=sa.text("false"))

    __table_args__ = (
        *standard_constraints("user_sessions", "status"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name="fk_user_sessions_user_id"
        ),
        sa.Index("ix_user_sessions_tenant_user_id", "tenant_id", "user_id", "status"),
        sa.Index("ix_user_sessions_active", "tenant_id", "expires_at", postgresql_where=sa.text("status = 'active'")),
        sa.Index("ix_user_sessions_ended_at", "ended_at", postgresql_where=sa.text("ended_at IS NOT NULL")),
        session_lifecycle.check(),
    )
