"""Opening, prolonging and ending sessions (docs/adr/0008-sessions.md)."""

from __future__ import annotations

import datetime as dt
import uuid
from functools import partial

from app.core.clock import utcnow
from app.core.db.uow import UnitOfWork
from app.core.runtime import Runtime
from app.core.sessions.gate import CLOCK_TOLERANCE
from app.core.sessions.lifecycle import EndReason, SessionAction, SessionTransition, session_lifecycle
from app.core.sessions.models import UserSession
from app.core.sessions.repository import SessionRepository


class SessionService:
    """The gate of this process refuses an ended session as soon as its end is committed."""

    def __init__(self, uow: UnitOfWork, runtime: Runtime) -> None:
        settings = runtime.settings
        self._uow = uow
        self._gate = runtime.gate
        self._sessions = SessionRepository(uow)
        self._idle = dt.timedelta(seconds=settings.session_idle_seconds)
        self._absolute = dt.timedelta(seconds=settings.session_absolute_seconds)
        self._token_life = dt.timedelta(seconds=settings.access_token_seconds)

    async def open(self, user_id: uuid.UUID) -> UserSession:
        """Opens a session. The caller holds the user's row (FOR SHARE), so `end_all` waits and finds this one too."""
        now = utcnow()
        session = UserSession(
            tenant_id=self._uow.tenant_id, user_id=user_id, rotated_at=now, expires_at=now + self._absolute
        )
        return await self._uow.create(session, SessionAction.OPENED)

    def reason_to_end(self, session: UserSession) -> EndReason | None:
        """The limit that an active session has passed, or None."""
        now = utcnow()
        if now >= session.expires_at:
            return EndReason.EXPIRED
        return EndReason.IDLE if now - session.rotated_at > self._idle else None

    async def rotate(self, session: UserSession, rotation_key: str | None) -> None:
        """Gives the session its next generation. The row is locked, and the time is taken under the lock."""
        async with self._uow.change(session, SessionAction.REFRESHED):
            session.generation += 1
            session.rotated_at = utcnow()
            session.rotation_key = rotation_key

    async def end(self, session: UserSession, reason: EndReason) -> None:
        await session_lifecycle.fire(
            self._uow, session, SessionTransition.END, None, ended_at=utcnow(), end_reason=reason.value
        )
        self._uow.after_commit(partial(self._gate.mark, (session.id,)))

    async def end_all(self, user_id: uuid.UUID, reason: EndReason) -> None:
        """Ends every session of a user whose row the caller has locked.

        A session that no refresh or access token can use any more is left as it is. It is over, and a user may have
        thousands of them.
        """
        since = utcnow() - max(self._idle, self._token_life) - CLOCK_TOLERANCE
        for session in await self._sessions.lock_active_of_user(self._uow.tenant_id, user_id, since):
            await self.end(session, reason)
