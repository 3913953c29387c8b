"""Sign-in, refresh and sign-out. Every kind of failure gets the same answer. Every attempt has an audit event."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import Depends

from app.core.audit.actions import AuditAction
from app.core.audit.writer import record
from app.core.auth.schemas import Device, LoginRequest, LoginTokens, MePatch, MeRead, RefreshRequest, SessionTokens
from app.core.auth.throttle import Account, AccountLimited, Attempt, Counted, Origin
from app.core.clock import utcnow
from app.core.dependencies import CurrentUser, ReadUow, RuntimeDependency
from app.core.errors import ServiceUnavailable, TenantSuspended, Unauthenticated
from app.core.ids import TenantId, UserId
from app.core.permissions import Permission, Principal, Role
from app.core.runtime import Runtime
from app.core.sessions.lifecycle import WHY_ENDED, EndReason, SessionStatus
from app.core.sessions.models import UserSession
from app.core.sessions.refresh_token import RefreshToken, rotation_key
from app.core.sessions.repository import SessionRepository
from app.core.sessions.service import SessionDevice, SessionService
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


class Login:
    """The agency and the user that the account of a sign-in names, if they exist."""

    def __init__(self, runtime: Runtime, account: Account) -> None:
        self._runtime = runtime
        self._account = account
        self._asked = False
        self._found: Any = None

    async def find(self) -> Any:
        """The row of the agency with the columns of its user; None for an unknown slug. The database is asked once."""
        if not self._asked:
            async with self._runtime.system_unit_of_work() as system:
                self._found = await get_cross_tenant_for_admin_only_by_login(system, *self._account)
            self._asked = True
        return self._found

    async def find_hash(self) -> str | None:
        found = await self.find()
        return None if found is None else found["password_hash"]


async def count_attempt(runtime: Runtime, attempt: Attempt, account: Account, origin: Origin, login: Login) -> Counted:
    """Counts a try. Raises RateLimited. If the account was tried too often, the audit log records it once a minute."""
    try:
        return await runtime.throttle.attempt(attempt, account, origin, login.find_hash)
    except AccountLimited:
        if await runtime.throttle.is_first_this_minute(attempt, account) and (found := await login.find()) is not None:
            await audit_login(runtime, found, AuthAction.THROTTLED, {"attempt": attempt.value})
        raise


async def judge_password(runtime: Runtime, password: str, stored: str | None, counted: Counted) -> bool:
    """True if the password is right. Raises ServiceUnavailable; the try does not count then."""
    try:
        return await runtime.passwords.verify(password, stored)
    except ServiceUnavailable:
        await runtime.throttle.unjudged(counted)
        raise


async def audit_login(runtime: Runtime, found: Any, action: AuthAction, metadata: dict[str, Any] | None = None) -> None:
    """Writes the record in its own unit of work, because it must persist although the request is refused."""
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

    async def login(self, given: LoginRequest, address: str) -> LoginTokens:
        """Raises the same Unauthenticated for a wrong agency, user or password and for a user that is not active. Each
        takes one password comparison. Raises RateLimited, TenantSuspended, ServiceUnavailable.
        """
        runtime = self._runtime
        account = Account(given.tenant_slug, given.email.strip().lower())
        origin = Origin(address, given.device_token)
        login = Login(runtime, account)
        counted = await count_attempt(runtime, Attempt.PASSWORD, account, origin, login)
        found = await login.find()
        matches = await judge_password(runtime, given.password, await login.find_hash(), counted)
        if matches and found["tenant_status"] != TenantStatus.ACTIVE and found["status"] == UserStatus.ACTIVE:
            await audit_login(runtime, found, AuthAction.LOGIN_FAILED, {"cause": "tenant_suspended"})
            raise TenantSuspended
        tokens = await self._open(found, given.device) if matches else None
        if tokens is None:
            if found is not None:
                await audit_login(runtime, found, AuthAction.LOGIN_FAILED)
            raise Unauthenticated(WRONG)
        password_hash: str = found["password_hash"]
        await runtime.throttle.succeeded(counted, account, origin, password_hash)
        device = runtime.throttle.device_token(account, origin, password_hash)
        return LoginTokens(**tokens.model_dump(), device_token=device)

    async def _open(self, found: Any, device: Device | None) -> SessionTokens | None:
        """Locks the user's row and reads it again, so a user who was locked meanwhile gets no session."""
        runtime = self._runtime
        principal = Principal(TenantId(found["tenant_id"]), Role(found["role"]), user_id=UserId(found["id"]))
        async with runtime.unit_of_work(principal) as uow:
            user = await UserRepository(uow).find_for_share(uow.tenant_id, found["id"])
            if user is None or user.status is not UserStatus.ACTIVE or user.password_hash != found["password_hash"]:
                return None
            sessions = SessionService(uow, runtime)
            session = await sessions.open(user.id, None if device is None else SessionDevice(**device.model_dump()))
            idle = await sessions.idle_limit(session)
            await record(uow, AuthAction.LOGGED_IN, entity_type="user", entity_id=user.id)
        return self._tokens(session, user, idle)

    async def refresh(self, given: RefreshRequest, idempotency_key: str | None, address: str) -> SessionTokens:
        """The session's next pair of tokens (docs/adr/0008-sessions.md). Raises Unauthenticated (with the reason, if
        the token is one of a session that is over), TenantSuspended, RateLimited.

        A text without our seal is a guess and counts for its address. A token with our seal is no guess, even if its
        session has ended. It is never refused for the guesses of others behind its address.

        The arrival is compared with a rotation that another process may have made. The clocks of the machines must
        agree (NTP) to much less than the time of shared_refreshes.
        """
        arrived_at = utcnow()
        runtime = self._runtime
        presented = RefreshToken.read(runtime.keys, given.refresh_token)
        if presented is None:
            await runtime.throttle.guess(address)
            raise Unauthenticated
        await runtime.gate.admit(presented.tenant_id, None)
        await runtime.refreshes.until_quiet(presented.session_id)
        key = rotation_key(runtime.keys, presented.session_id, idempotency_key)
        prolonged = await self._prolong(presented, arrived_at, key)
        if prolonged is None:
            raise Unauthenticated
        if isinstance(prolonged, EndReason):
            raise Unauthenticated(WHY_ENDED[prolonged], reason=prolonged.value)
        return prolonged

    async def _prolong(
        self, presented: RefreshToken, arrived_at: dt.datetime, key: str | None
    ) -> SessionTokens | EndReason | None:
        """The next tokens, or why the session is over; None for a session that never was.

        An end of the session is committed before the error.
        """
        runtime = self._runtime
        async with runtime.unit_of_work(Principal.system(presented.tenant_id)) as uow:
            sessions = SessionService(uow, runtime)
            session = await SessionRepository(uow).find_for_update(uow.tenant_id, presented.session_id)
            if session is None:
                return None
            if session.status is SessionStatus.ENDED:
                return None if session.end_reason is None else EndReason(session.end_reason)
            user = await UserRepository(uow).find(uow.tenant_id, session.user_id)
            idle = await sessions.idle_limit(session)
            if user is None or user.status is not UserStatus.ACTIVE:
                await sessions.end(session, EndReason.ACCESS_CHANGED)
                return EndReason.ACCESS_CHANGED
            reason = sessions.reason_to_end(session, idle)
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
                return reason
        return self._tokens(session, user, idle)

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

    def _tokens(self, session: UserSession, user: User, idle: dt.timedelta) -> SessionTokens:
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
        return SessionTokens(
            access_token=access_token,
            refresh_token=refresh_token,
            expires_in=seconds,
            refresh_within=max(1, min(int(idle.total_seconds()), left)),
            session_expires_at=session.expires_at,
        )


def _repeats(session: UserSession, presented: RefreshToken, arrived_at: dt.datetime, key: str | None) -> bool:
    """True if an old token comes from the client of the last refresh, and not from a person who kept or stole it.

    This is so if it arrived before the rotation, or if it names the Idempotency-Key of the rotation. Only the client
    whose answer was lost knows that key.
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
    """The user of the token. Raises Unauthenticated if the user is gone."""
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
