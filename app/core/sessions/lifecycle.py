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
    REVOKED = "revoked"
    IDLE = "idle"
    EXPIRED = "expired"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"
    PASSWORD_CHANGED = "password_changed"
    ACCESS_CHANGED = "access_changed"


WHY_ENDED: dict[EndReason, str] = {
    EndReason.LOGOUT: "This session was signed out. Sign in again.",
    EndReason.REVOKED: "This session was ended from another device or by an administrator. Sign in again.",
    EndReason.IDLE: "This session was not used for too long. Sign in again.",
    EndReason.EXPIRED: "This session reached its absolute end. Sign in again.",
    EndReason.REFRESH_TOKEN_REUSED: "An old refresh token was used, which ended the session. Sign in again.",
    EndReason.PASSWORD_CHANGED: "The password was changed. Sign in again.",
    EndReason.ACCESS_CHANGED: "An administrator changed this account. Sign in again.",
}
"""What a refused refresh says to its user."""

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
