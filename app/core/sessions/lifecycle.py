"""A session is active until something ends it. The reason is recorded (docs/adr/0008-sessions.md)."""

from __future__ import annotations

from enum import StrEnum

from app.core.audit.actions import AuditAction
from app.core.auth.permissions import SELF_WRITE
from app.core.lifecycle import Lifecycle, Transition


class SessionStatus(StrEnum):
    ACTIVE = "active"
    ENDED = "ended"


class SessionTransition(StrEnum):
    END = "end"


class SessionAction(AuditAction):
    OPENED = "user_session.opened"
    REFRESHED = "user_session.refreshed"
    ENDED = "user_session.ended"


class EndReason(StrEnum):
    LOGOUT = "logout"
    IDLE = "idle"
    EXPIRED = "expired"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"
    PASSWORD_CHANGED = "password_changed"
    ACCESS_CHANGED = "access_changed"


session_lifecycle: Lifecycle[SessionStatus, None] = Lifecycle(
    name="user_session",
    states=SessionStatus,
    initial=SessionStatus.ACTIVE,
    transitions=(
        Transition(
            SessionTransition.END,
            frozenset({SessionStatus.ACTIVE}),
            SessionStatus.ENDED,
            permission=SELF_WRITE,
            audit_action=SessionAction.ENDED,
            system=True,
        ),
    ),
    internal=frozenset({SessionTransition.END}),
)
