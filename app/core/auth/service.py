"""Sign-in, refresh and sign-out: the same answer for every kind of failure, and an audit event for every attempt."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import Depends

from app.core.audit.actions import AuditAction
from app.core.audit.writer import record
from app.core.auth.schemas import LoginRequest, MePatch, MeRead, RefreshRequest, SessionTokens
from app.core.auth.throttle import Attempt
from app.core.clock import utcnow
from app.core.dependencies import CurrentUser, ReadUow, RuntimeDependency
from app.core.errors import RateLimited, TenantSuspended, Unauthenticated
from app.core.ids import TenantId, UserId
from app.core.permissions import Permission, Principal, Role
from app.core.runtime import Runtime
from app.core.sessions.lifecycle import EndReason, SessionStatus
from app.core.sessions.models import UserSession
from app.core.sessions.refresh_token import RefreshToken, rotation_key
from app.core.sessions.repository import SessionRepository
from app.core.sessions.service import SessionService
from app.core.tenants.models import TenantStatus
from app.core.users.lifecycle import UserStatus
from app.core.users.models import User
from app.core.users.repository import UserRepository, get_cross_tenant_for_admin_only_by_login
from app.core.users.service import Users

WRONG = "The agency, e-mail or password is wrong."


class AuthAction(AuditAction):
    LOGGED_IN = "user.logged_in"
    LOGIN_FAILED = "user.login_failed"
    THROTTLED = "user.throttled"
    LOGGED_OUT = "user.logged_out"
    REFRESH_TOKEN_REUSED = "user_session.refresh_token_reused"
    PASSWORD_CHANGE_REFUSED = "user.password_change_refused"
    PASSWORD_RESET_REFUSED = "user.password_reset_refused"


async def count_attempt(runtime: Runtime, attempt: Attempt, slug: str, email: str) -> None:
    """Raises RateLimited. The audit log records that once a minute and account."""
    try:
        await runtime.throttle.attempt(attempt, slug, email)
    except RateLimited:
        if await runtime.throttle.is_news(attempt, slug, email):
            found = await find_login(runtime, slug, email)
            if found is not None:
                await audit_login(runtime, found, AuthAction.THROTTLED, {"attempt": attempt.value})
        raise


async def find_login(runtime: Runtime, slug: str, email: str) -> Any:
    async with runtime.system_unit_of_work() as system:
        return await get_cross_tenant_for_admin_only_by_login(system, slug, email)


async def audit_login(runtime: Runtime, found: Any, action: AuthAction, metadata: dict[str, Any] | None = None) -> None:
    """The record has its own unit of work, because it must persist although the request is refused."""
    user_id: uuid.UUID | None = found["id"]
    async with runtime.unit_of_work(Principal.system(TenantId(found["tenant_id"]))) as uow:
        await record(
            uow,
            action,
            entity_type="tenant" if user_id is None else "user",
            entity_id=user_id or found["tenant_id"],
            metadata=metadata,
        )


class AuthService:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def login(self, given: LoginRequest, address: str) -> SessionTokens:
        """Raises Unauthenticated alike, after the work of one password comparison, for whatever was wrong: agency,
        user, password, or a user that is not active. Raises RateLimited, TenantSuspended.
        """
        runtime = self._runtime
        account = given.tenant_slug, given.email.strip().lower()
        await runtime.throttle.require_room(address)
        await count_attempt(runtime, Attempt.PASSWORD, *account)
        found = await find_login(runtime, *account)
        known = found is not None and found["id"] is not None
        matches = await runtime.passwords.verify(given.password, found["password_hash"] if known else None)
        if matches and found["tenant_status"] != TenantStatus.ACTIVE and found["status"] == UserStatus.ACTIVE:
            await audit_login(runtime, found, AuthAction.LOGIN_FAILED, {"cause": "tenant_suspended"})
            raise TenantSuspended
        tokens = await self._open(found) if matches else None
        if tokens is None:
            await runtime.throttle.failed(address)
            if found is not None:
                await audit_login(runtime, found, AuthAction.LOGIN_FAILED)
            raise Unauthenticated(WRONG)
        await runtime.throttle.succeeded(Attempt.PASSWORD, *account)
        return tokens

    async def _open(self, found: Any) -> SessionTokens | None:
        """The user's row is locked and read again: a user who was locked meanwhile gets no session."""
        runtime = self._runtime
        principal = Principal(TenantId(found["tenant_id"]), Role(found["role"]), user_id=UserId(found["id"]))
        async with runtime.unit_of_work(principal) as uow:
            user = await UserRepository(uow).find_for_share(uow.tenant_id, found["id"])
            if user is None or user.status is not UserStatus.ACTIVE or user.password_hash != found["password_hash"]:
                return None
            session = await SessionService(uow, runtime).open(user.id)
            await record(uow, AuthAction.LOGGED_IN, entity_type="user", entity_id=user.id)
        return self._tokens(session, user)

    async def refresh(self, given: RefreshRequest, idempotency_key: str | None, address: str) -> SessionTokens:
        """The session's next pair of tokens (docs/adr/0008-sessions.md). Raises Unauthenticated, TenantSuspended,
        RateLimited.

        The arrival is compared with a rotation that another process may have made: clocks of the machines are taken
        to agree (NTP) to well within the time of gathering.
        """
        arrived_at = utcnow()
        runtime = self._runtime
        await runtime.throttle.require_room(address)
        presented = RefreshToken.read(runtime.keys, given.refresh_token)
        tokens = None
        if presented is not None:
            await runtime.gate.admit(presented.tenant_id, None)
            await runtime.refreshes.until_quiet(presented.session_id)
            key = rotation_key(runtime.keys, presented.session_id, idempotency_key)
            tokens = await self._prolong(presented, arrived_at, key)
        if tokens is None:
            await runtime.throttle.failed(address)
            raise Unauthenticated
        return tokens

    async def _prolong(self, presented: RefreshToken, arrived_at: dt.datetime, key: str | None) -> SessionTokens | None:
        """None when the refresh is refused. A session that it ends is ended before it is raised."""
        runtime = self._runtime
        async with runtime.unit_of_work(Principal.system(presented.tenant_id)) as uow:
            sessions = SessionService(uow, runtime)
            session = await SessionRepository(uow).find_for_update(uow.tenant_id, presented.session_id)
            if session is None or session.status is SessionStatus.ENDED:
                return None
            user = await UserRepository(uow).find(uow.tenant_id, session.user_id)
            if user is None or user.status is not UserStatus.ACTIVE:
                reason: EndReason | None = EndReason.ACCESS_CHANGED
            else:
                reason = sessions.reason_to_end(session)
            if reason is None and presented.generation == session.generation:
                await sessions.rotate(session, key)
            elif reason is None and not _repeats(session, presented, arrived_at, key):
                reason = EndReason.REFRESH_TOKEN_REUSED
                await record(
                    uow,
                    AuthAction.REFRESH_TOKEN_REUSED,
                    entity_type="user",
                    entity_id=session.user_id,
                    metadata={"session_id": str(session.id)},
                )
            if reason is not None:
                await sessions.end(session, reason)
        return None if reason is not None or user is None else self._tokens(session, user)

    async def logout(self, principal: Principal) -> None:
        """Ends the session that the access token belongs to. Raises Unauthenticated when there is none."""
        if principal.session_id is None or principal.user_id is None:
            raise Unauthenticated
        async with self._runtime.unit_of_work(principal) as uow:
            session = await SessionRepository(uow).find_for_update(uow.tenant_id, principal.session_id)
            if session is None or session.status is SessionStatus.ENDED:
                raise Unauthenticated
            await SessionService(uow, self._runtime).end(session, EndReason.LOGOUT)
            await record(uow, AuthAction.LOGGED_OUT, entity_type="user", entity_id=principal.user_id)

    def _tokens(self, session: UserSession, user: User) -> SessionTokens:
        """The tokens carry the present role and flag. No access token outlives its session."""
        runtime = self._runtime
        left = int((session.expires_at - utcnow()).total_seconds())
        seconds = max(1, min(runtime.tokens.seconds, left))
        tenant_id = TenantId(session.tenant_id)
        access_token = runtime.tokens.issue(
            user_id=user.id,
            tenant_id=tenant_id,
            role=user.role,
            is_reviewer=user.is_reviewer,
            session_id=session.id,
            seconds=seconds,
        )
        refresh_token = RefreshToken(tenant_id, session.id, session.generation).text(runtime.keys)
        return SessionTokens(access_token=access_token, refresh_token=refresh_token, expires_in=seconds)


def _repeats(session: UserSession, presented: RefreshToken, arrived_at: dt.datetime, key: str | None) -> bool:
    """Whether an old token comes from who made the last refresh, and not from somebody who kept or stole it.

    It does if it was on its way before the rotation, or if it names the Idempotency-Key of the rotation, which only
    the client knows whose answer was lost.
    """
    if presented.generation != session.generation - 1:
        return False
    return arrived_at <= session.rotated_at or (key is not None and key == session.rotation_key)


async def auth_service(runtime: RuntimeDependency) -> AuthService:
    return AuthService(runtime)


def _present(user: User, principal: Principal, permissions: Iterable[Permission]) -> MeRead:
    held = sorted(permission.name for permission in permissions if permission.held_by(principal))
    return MeRead.of(user, permissions=held)


async def read_me(uow: ReadUow, runtime: RuntimeDependency) -> MeRead:
    """The user behind the token. Raises Unauthenticated when it is gone."""
    principal = uow.principal
    user = None
    if principal.user_id is not None:
        user = await UserRepository(uow).find(uow.tenant_id, principal.user_id)
    if user is None:
        raise Unauthenticated
    return _present(user, principal, runtime.composition.permissions)


async def revise_me(patch: MePatch, users: Users, principal: CurrentUser, runtime: RuntimeDependency) -> MeRead:
    user = await users.revise_self(patch.display_name, patch.version)
    return _present(user, principal, runtime.composition.permissions)


Auth = Annotated[AuthService, Depends(auth_service)]
Me = Annotated[MeRead, Depends(read_me)]
RevisedMe = Annotated[MeRead, Depends(revise_me)]
