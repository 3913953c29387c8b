"""Opening, prolonging, listing and ending sessions (docs/adr/0008-sessions.md, docs/adr/0041-devices.md)."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import Depends

from app.core.clock import utcnow
from app.core.config import Settings
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, RuntimeDependency, Uow
from app.core.errors import NotFound, Unauthenticated
from app.core.pagination import Page, Paging
from app.core.runtime import Runtime
from app.core.sessions.gate import CLOCK_TOLERANCE
from app.core.sessions.lifecycle import EndReason, SessionAction, SessionStatus, SessionTransition, session_lifecycle
from app.core.sessions.models import UserSession
from app.core.sessions.repository import SessionRepository
from app.core.sessions.schemas import SessionRead
from app.core.tenants.service import current_tenant
from app.core.users.permissions import USER_READ, USER_WRITE


@dataclass(frozen=True, slots=True)
class SessionDevice:
    """A device as its client names it. `locks_itself` means that the client asks for its user after a while."""

    id: uuid.UUID
    name: str
    locks_itself: bool


class SessionReader:
    """Lists show the sessions that live. A session that has passed a limit is over, even if nothing has ended it."""

    def __init__(self, uow: ReadUnitOfWork, settings: Settings) -> None:
        self._uow = uow
        self._settings = settings

    async def list_own(self, paging: Paging) -> Page[SessionRead]:
        """The caller's own. Raises Unauthenticated for a caller that is no user."""
        if self._uow.principal.user_id is None:
            raise Unauthenticated
        return await self._living(paging, user_id=self._uow.principal.user_id)

    async def list_page(self, paging: Paging, **filters: Any) -> Page[SessionRead]:
        """The agency's. `filters` are `user_id` and `device_id`. Raises Forbidden."""
        self._uow.principal.require(USER_READ)
        return await self._living(paging, **filters)

    async def _living(self, paging: Paging, **filters: Any) -> Page[SessionRead]:
        uow = self._uow
        idle = await idle_limit(uow, self._settings, locks_itself=False)
        on_device = await idle_limit(uow, self._settings, locks_itself=True)
        sessions = SessionRepository(uow)
        page = await sessions.list_living(uow.tenant_id, paging, utcnow(), idle, on_device, **filters)
        present = self._uow.principal.session_id
        shown = [SessionRead.of(session, present) for session in page.items]
        return Page(items=shown, next_cursor=page.next_cursor)


class SessionService:
    """The gate of this process refuses an ended session as soon as its end is committed."""

    def __init__(self, uow: UnitOfWork, runtime: Runtime) -> None:
        settings = runtime.settings
        self._uow = uow
        self._gate = runtime.gate
        self._settings = settings
        self._sessions = SessionRepository(uow)
        self._absolute = dt.timedelta(seconds=settings.session_absolute_seconds)

    async def open(self, user_id: uuid.UUID, device: SessionDevice | None = None) -> UserSession:
        """Opens a session. The caller holds the user's row (FOR SHARE), so `end_all` waits and finds this one too."""
        now = utcnow()
        session = UserSession(
            tenant_id=self._uow.tenant_id,
            user_id=user_id,
            rotated_at=now,
            expires_at=now + self._absolute,
            device_id=None if device is None else device.id,
            device_name=None if device is None else device.name,
            locks_itself=device is not None and device.locks_itself,
        )
        return await self._uow.create(session, SessionAction.OPENED)

    async def idle_limit(self, session: UserSession) -> dt.timedelta:
        """How long the session may rest, as the agency's setting is now."""
        return await idle_limit(self._uow, self._settings, locks_itself=session.locks_itself)

    def reason_to_end(self, session: UserSession, idle: dt.timedelta) -> EndReason | None:
        """The limit that an active session has passed, or None."""
        now = utcnow()
        if now >= session.expires_at:
            return EndReason.EXPIRED
        return EndReason.IDLE if now - session.rotated_at > idle else None

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
        settings, now = self._settings, utcnow() - CLOCK_TOLERANCE
        since = now - dt.timedelta(seconds=max(settings.session_idle_seconds, settings.access_token_seconds))
        for session in await self._sessions.lock_active_of_user(self._uow.tenant_id, user_id, since, now):
            await self.end(session, reason)

    async def revoke_own(self, session_id: uuid.UUID) -> None:
        """Ends one of the caller's sessions. Raises NotFound for a session of somebody else."""
        session = await self._sessions.find_for_update(self._uow.tenant_id, session_id)
        if session is None or session.user_id != self._uow.principal.user_id:
            raise NotFound
        await self._revoke(session)

    async def revoke(self, session_id: uuid.UUID) -> None:
        """Ends a session of the agency. Raises Forbidden, NotFound."""
        self._uow.principal.require(USER_WRITE)
        await self._revoke(await self._sessions.get_for_update(self._uow.tenant_id, session_id))

    async def _revoke(self, session: UserSession) -> None:
        """A refresh changes the version of a session at any moment, so an end asks for none."""
        if session.status is SessionStatus.ACTIVE:
            await self.end(session, EndReason.REVOKED)


async def idle_limit(uow: ReadUnitOfWork, settings: Settings, *, locks_itself: bool) -> dt.timedelta:
    """How long a session may rest without a refresh. The agency's setting only prolongs the limit of the service.

    The agency is read only for a device that locks itself.
    """
    own = dt.timedelta(seconds=settings.session_idle_seconds)
    minutes = (await current_tenant(uow)).device_idle_minutes if locks_itself else None
    return own if minutes is None else max(own, dt.timedelta(minutes=minutes))


async def session_service(runtime: RuntimeDependency, uow: Uow) -> SessionService:
    return SessionService(uow, runtime)


async def session_reader(runtime: RuntimeDependency, uow: ReadUow) -> SessionReader:
    return SessionReader(uow, runtime.settings)


Sessions = Annotated[SessionService, Depends(session_service)]
SessionReads = Annotated[SessionReader, Depends(session_reader)]
