"""The agency's users. Administrators invite, change, lock, disable and delete them. Users change their own name."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import Depends

from app.core.account_tokens.models import AccountTokenPurpose
from app.core.account_tokens.service import AccountTokenService
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, RuntimeDependency, Uow
from app.core.errors import NotFound, Unauthenticated
from app.core.idempotency.creation import Creation
from app.core.pagination import Page, PagingWithDeleted
from app.core.permissions import Principal, Role
from app.core.repository import require_version
from app.core.runtime import Runtime
from app.core.sessions.lifecycle import EndReason
from app.core.sessions.service import SessionService
from app.core.users.errors import LastAdministrator
from app.core.users.lifecycle import (
    UserAction,
    UserFacts,
    UserStatus,
    UserTransition,
    user_lifecycle,
)
from app.core.users.models import User
from app.core.users.permissions import USER_READ, USER_WRITE
from app.core.users.repository import UserRepository
from app.core.users.schemas import UserCreate, UserPatch, UserRead, UserTransitionRequest

_GUARDED = (UserTransition.LOCK, UserTransition.DISABLE)


def present(user: User, principal: Principal) -> UserRead:
    return UserRead.of(user, allowed_actions=user_lifecycle.allowed_actions(user, principal))


class UserReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._users = UserRepository(uow)
        uow.principal.require(USER_READ)

    async def get(self, user_id: uuid.UUID) -> UserRead:
        """Raises NotFound."""
        return present(await self._users.get(self._uow.tenant_id, user_id), self._uow.principal)

    async def list_page(self, paging: PagingWithDeleted, **filters: Any) -> Page[UserRead]:
        listed = self._users.list_including_deleted if paging.include_deleted else self._users.list_page
        page = await listed(self._uow.tenant_id, paging, **filters)
        return Page(items=[present(user, self._uow.principal) for user in page.items], next_cursor=page.next_cursor)


class UserService:
    """A change of a user's rights ends the user's sessions, because tokens carry the role."""

    def __init__(self, uow: UnitOfWork, runtime: Runtime) -> None:
        self._uow = uow
        self._users = UserRepository(uow)
        self._sessions = SessionService(uow, runtime)
        self._tokens = AccountTokenService(uow, runtime)

    async def invite(self, given: UserCreate, creation: Creation) -> UserRead:
        """Creates a user without a password, with an invitation. Raises AlreadyExists for an address in use."""
        self._uow.principal.require(USER_WRITE)
        reservation = await creation.reserve(self._uow, given)
        if reservation.repeated:
            return self._present(await self._users.get(self._uow.tenant_id, reservation.entity_id))
        user = User(  # lint: allow FQ104 (the column's default is that of provisioned users)
            id=reservation.entity_id,
            tenant_id=self._uow.tenant_id,
            status=UserStatus.INVITED,
            **given.values(),
        )
        await self._uow.create(user, UserAction.INVITED)
        await self._tokens.issue(user.id, AccountTokenPurpose.INVITATION)
        return self._present(user)

    async def revise(self, user_id: uuid.UUID, patch: UserPatch) -> UserRead:
        """A new role or flag ends the user's sessions; a new address withdraws the links that went to the old one.

        Raises Conflict (stale), AlreadyExists (the address), LastAdministrator.
        """
        self._uow.principal.require(USER_WRITE)
        changes = patch.changes()
        user, facts = await self._lock(user_id, among_admins="role" in changes)
        require_version(user, patch.version)
        if changes.get("role", user.role) is not Role.ADMIN and facts.is_last_admin:
            raise LastAdministrator
        before = (user.role, user.is_reviewer), user.email
        async with self._uow.change(user, UserAction.REVISED):
            for name, value in changes.items():
                setattr(user, name, value)
        if (user.role, user.is_reviewer) != before[0]:
            await self._sessions.end_all(user.id, EndReason.ACCESS_CHANGED)
        if user.email != before[1]:
            await self._tokens.withdraw_all(user.id)
        return self._present(user)

    async def transition(self, user_id: uuid.UUID, given: UserTransitionRequest) -> UserRead:
        """Raises Forbidden, InvalidTransition (state, last administrator), Conflict (stale)."""
        self._uow.principal.require(USER_WRITE)
        user, facts = await self._lock(user_id, among_admins=given.action in _GUARDED)
        user_lifecycle.require(user, given.action, self._uow.principal, facts, reason=given.reason)
        require_version(user, given.version)
        await user_lifecycle.fire(self._uow, user, given.action, facts, reason=given.reason)
        if given.action is UserTransition.INVITE:
            await self._tokens.issue(user.id, AccountTokenPurpose.INVITATION)
        elif given.action in _GUARDED:
            await self._end_access(user)
        return self._present(user)

    async def delete(self, user_id: uuid.UUID, version: int) -> None:
        """Soft-deletes the user. The address is free again. Raises Conflict (stale), LastAdministrator."""
        self._uow.principal.require(USER_WRITE)
        user, facts = await self._lock(user_id, among_admins=True)
        require_version(user, version)
        if facts.is_last_admin:
            raise LastAdministrator
        async with self._uow.change(user, UserAction.DELETED):
            user.deleted_at = utcnow()
        await self._end_access(user)

    async def restore(self, user_id: uuid.UUID, version: int) -> UserRead:
        """The user gets back the status that it had. Raises Conflict (stale), AlreadyExists (the address)."""
        self._uow.principal.require(USER_WRITE)
        user = await self._users.get_including_deleted(self._uow.tenant_id, user_id)
        require_version(user, version)
        async with self._uow.change(user, UserAction.RESTORED):
            user.deleted_at = None
        return self._present(user)

    async def revise_self(self, display_name: str, version: int) -> User:
        """Changes the user's own name. Raises Unauthenticated if the user is gone, Conflict (stale)."""
        user_id = self._uow.principal.user_id
        user = None if user_id is None else await self._users.find(self._uow.tenant_id, user_id)
        if user is None:
            raise Unauthenticated
        require_version(user, version)
        async with self._uow.change(user, UserAction.REVISED):
            user.display_name = display_name
        return user

    async def _lock(self, user_id: uuid.UUID, *, among_admins: bool) -> tuple[User, UserFacts]:
        """Locks the user. `among_admins` locks all active administrators too, because the facts need them."""
        if not among_admins:
            return await self._users.get_for_update(self._uow.tenant_id, user_id), UserFacts()
        locked = await self._users.lock_with_admins(self._uow.tenant_id, user_id)
        user = next((user for user in locked if user.id == user_id), None)
        if user is None:
            raise NotFound
        admins = [user.id for user in locked if user.role is Role.ADMIN and user.status is UserStatus.ACTIVE]
        return user, UserFacts(is_last_admin=admins == [user_id])

    async def _end_access(self, user: User) -> None:
        await self._sessions.end_all(user.id, EndReason.ACCESS_CHANGED)
        await self._tokens.withdraw_all(user.id)

    def _present(self, user: User) -> UserRead:
        return present(user, self._uow.principal)


async def user_service(runtime: RuntimeDependency, uow: Uow) -> UserService:
    return UserService(uow, runtime)


async def user_reader(uow: ReadUow) -> UserReader:
    return UserReader(uow)


Users = Annotated[UserService, Depends(user_service)]
UserReads = Annotated[UserReader, Depends(user_reader)]
