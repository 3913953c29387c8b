"""Changes of a password, requests for a link, and new passwords through a link (a reset or an accepted invitation)."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterable
from typing import Annotated

from fastapi import Depends

from app.core.account_tokens.models import AccountToken, AccountTokenPurpose
from app.core.account_tokens.sealing import read_token
from app.core.account_tokens.service import AccountTokenService, find_good
from app.core.audit.writer import record
from app.core.auth.schemas import ChangePasswordRequest, ForgotPasswordRequest, ResetPasswordRequest
from app.core.auth.service import AuthAction, Login, count_attempt, judge_password
from app.core.auth.strength import require_strong
from app.core.auth.throttle import Account, Attempt, Origin
from app.core.db.uow import UnitOfWork
from app.core.dependencies import RuntimeDependency
from app.core.errors import Conflict, TenantSuspended, Unauthenticated, ValidationFailed
from app.core.ids import TenantId, UserId
from app.core.permissions import Principal, Role
from app.core.runtime import Runtime
from app.core.sessions.lifecycle import EndReason
from app.core.sessions.service import SessionService
from app.core.tenants.models import Tenant, TenantStatus
from app.core.tenants.service import current_tenant
from app.core.users.events import PASSWORD_CHANGED
from app.core.users.lifecycle import UserAction, UserFacts, UserStatus, UserTransition, user_lifecycle
from app.core.users.models import User
from app.core.users.repository import UserRepository

BAD_LINK = "This link is not valid any more."
_STATUS_OF = {
    AccountTokenPurpose.INVITATION: UserStatus.INVITED,
    AccountTokenPurpose.PASSWORD_RESET: UserStatus.ACTIVE,
}


class PasswordService:
    """A new password ends all sessions of its user, also the present one. A thief of the old one is signed out too."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def change(self, principal: Principal, given: ChangePasswordRequest, address: str) -> None:
        """Raises ValidationFailed (wrong, unchanged or weak password), RateLimited, Unauthenticated,
        ServiceUnavailable.
        """
        runtime = self._runtime
        async with runtime.read_unit_of_work(principal) as reading:
            user = await UserRepository(reading).find(reading.tenant_id, _user_id(principal))
            tenant = await current_tenant(reading)
        if user is None:
            raise Unauthenticated
        account, origin = Account(tenant.slug, user.email), Origin(address)
        counted = await count_attempt(runtime, Attempt.PASSWORD, account, origin, Login(runtime, account))
        if not await judge_password(runtime, given.current_password, user.password_hash, counted):
            await self._audit_refusal(principal, AuthAction.PASSWORD_CHANGE_REFUSED, user.id)
            raise ValidationFailed.of("current_password", "password_wrong", "The present password is wrong.")
        await runtime.throttle.succeeded(counted, account, origin, user.password_hash or "")
        if given.new_password == given.current_password:
            raise ValidationFailed.of("new_password", "password_unchanged", "Choose another password than the present.")
        await require_strong(given.new_password, _known_of(user, tenant))
        hashed = await runtime.passwords.hash(given.new_password)
        async with runtime.unit_of_work(principal) as uow:
            locked = await UserRepository(uow).get_for_update(uow.tenant_id, user.id)
            if locked.password_hash != user.password_hash:
                raise Conflict.stale(locked.version, locked.updated_at)
            async with uow.change(locked, UserAction.PASSWORD_CHANGED, event=PASSWORD_CHANGED):
                locked.password_hash = hashed
            await self._end_access(uow, locked)
        await runtime.throttle.remember(account, origin, hashed)

    async def forgot(self, given: ForgotPasswordRequest, address: str) -> None:
        """Sends a link to an active user. Raises RateLimited, for unknown accounts too. Each request from an unfamiliar
        address counts as a failed attempt.

        It always takes FORGOT_PASSWORD_MILLISECONDS. Issuing a link takes some milliseconds more than finding nobody,
        so the time of the answer would show who has an account. The wait costs the service nothing. It hides the work
        only if the work is shorter.
        """
        until = time.monotonic() + self._runtime.settings.forgot_password_milliseconds / 1000
        try:
            await self._send_link(given, address)
        finally:
            await asyncio.sleep(max(0.0, until - time.monotonic()))

    async def _send_link(self, given: ForgotPasswordRequest, address: str) -> None:
        runtime = self._runtime
        account = Account(given.tenant_slug, given.email.strip().lower())
        login = Login(runtime, account)
        await count_attempt(runtime, Attempt.FORGOT, account, Origin(address), login)
        found = await login.find()
        if found is None or found["status"] != UserStatus.ACTIVE or found["tenant_status"] != TenantStatus.ACTIVE:
            return
        async with runtime.unit_of_work(Principal.system(TenantId(found["tenant_id"]))) as uow:
            user = await UserRepository(uow).find_for_update(uow.tenant_id, found["id"])
            tokens = AccountTokenService(uow, runtime)
            if user is None or user.status is not UserStatus.ACTIVE or not await tokens.may_ask_for_reset(user.id):
                return
            await tokens.issue(user.id, AccountTokenPurpose.PASSWORD_RESET)

    async def reset(self, given: ResetPasswordRequest, address: str) -> None:
        """Sets the password that the link allows to set; an invited user becomes active.

        Raises the same Unauthenticated for a link that is expired, used, withdrawn, forged or unknown. Raises
        ValidationFailed for a weak password; the link stays good. Raises TenantSuspended, RateLimited. Only a forged
        link counts as a guess of its address.
        """
        runtime = self._runtime
        named = read_token(runtime.keys, given.token)
        if named is None:
            await runtime.throttle.guess(address)
            raise Unauthenticated(BAD_LINK)
        if not await self._set_password(*named, given, Origin(address)):
            system = Principal.system(named[0])
            await self._audit_refusal(system, AuthAction.PASSWORD_RESET_REFUSED, named[1], "account_token")
            raise Unauthenticated(BAD_LINK)

    async def _set_password(
        self, tenant_id: TenantId, token_id: uuid.UUID, given: ResetPasswordRequest, origin: Origin
    ) -> bool:
        """Sets the password; False for a bad link. The password is judged and hashed before any row is locked."""
        runtime = self._runtime
        async with runtime.read_unit_of_work(Principal.system(tenant_id)) as reading:
            token = await find_good(reading, token_id, given.token)
            user = None if token is None else await UserRepository(reading).find(tenant_id, token.user_id)
            if token is None or user is None or user.status is not _STATUS_OF[token.purpose]:
                return False
            tenant = await current_tenant(reading)
        if tenant.status is not TenantStatus.ACTIVE:
            raise TenantSuspended
        await require_strong(given.new_password, _known_of(user, tenant))
        return await self._spend(token, given.token, await runtime.passwords.hash(given.new_password), origin)

    async def _spend(self, found: AccountToken, text: str, hashed: str, origin: Origin) -> bool:
        """Uses the link under the user's lock, so one of several requests succeeds. The link's holder is the actor."""
        runtime = self._runtime
        holder = Principal(TenantId(found.tenant_id), Role.SYSTEM, user_id=UserId(found.user_id))
        async with runtime.unit_of_work(holder) as uow:
            user = await UserRepository(uow).find_for_update(uow.tenant_id, found.user_id)
            if user is None or user.status is not _STATUS_OF[found.purpose]:
                return False
            if await AccountTokenService(uow, runtime).use(found.id, text) is None:
                return False
            if found.purpose is AccountTokenPurpose.INVITATION:
                await user_lifecycle.fire(uow, user, UserTransition.ACTIVATE, UserFacts(), password_hash=hashed)
            else:
                async with uow.change(user, UserAction.PASSWORD_RESET, event=PASSWORD_CHANGED):
                    user.password_hash = hashed
            await self._end_access(uow, user)
            tenant = await current_tenant(uow)
        await runtime.throttle.remember(Account(tenant.slug, user.email), origin, hashed)
        return True

    async def _end_access(self, uow: UnitOfWork, user: User) -> None:
        await SessionService(uow, self._runtime).end_all(user.id, EndReason.PASSWORD_CHANGED)
        await AccountTokenService(uow, self._runtime).withdraw_all(user.id)

    async def _audit_refusal(
        self, principal: Principal, action: AuthAction, entity_id: uuid.UUID, entity_type: str = "user"
    ) -> None:
        """Records the refusal in its own unit of work, because the record must persist although the request fails."""
        async with self._runtime.unit_of_work(principal) as uow:
            await record(uow, action, entity_type=entity_type, entity_id=entity_id)


def _user_id(principal: Principal) -> UserId:
    if principal.user_id is None:
        raise Unauthenticated
    return principal.user_id


def _known_of(user: User, tenant: Tenant) -> Iterable[str]:
    """The words that a guesser knows. A password may not consist of them."""
    return user.display_name, user.email, tenant.slug, tenant.legal_name, tenant.trade_name or ""


async def password_service(runtime: RuntimeDependency) -> PasswordService:
    return PasswordService(runtime)


Passwords = Annotated[PasswordService, Depends(password_service)]
