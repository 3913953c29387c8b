"""users: invite, read, change, transitions, soft delete, restore."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from app.core.dependencies import requires
from app.core.filters import OneOf
from app.core.idempotency.creation import CreationDependency
from app.core.pagination import Page, PagingWithDeletedQuery
from app.core.schemas import RestoreRequest, VersionQuery
from app.core.tags import Tag
from app.core.users.lifecycle import UserStatus
from app.core.users.permissions import USER_READ, USER_WRITE
from app.core.users.schemas import UserCreate, UserPatch, UserRead, UserRole, UserTransitionRequest
from app.core.users.service import UserReads, Users

TAG = Tag("users", "The agency's users, for its administrators.")
router = APIRouter(prefix="/users", tags=["users"])


@router.post("", status_code=201, dependencies=[requires(USER_WRITE)])
async def create_user(given: UserCreate, users: Users, creation: CreationDependency) -> UserRead:
    """Invite somebody. An e-mail with a link goes out; the user is `invited` until a password is set through it."""
    return await users.invite(given, creation)


@router.get("", dependencies=[requires(USER_READ)])
async def list_users(
    users: UserReads,
    paging: PagingWithDeletedQuery,
    role: OneOf[UserRole] = None,
    status: OneOf[UserStatus] = None,
    email: OneOf[Annotated[str, Field(min_length=1, max_length=254, pattern=r"^[^\x00]*$")]] = None,
) -> Page[UserRead]:
    """The agency's users, newest first. An `email` matches as a whole, in any case."""
    return await users.list_page(
        paging,
        role=role,
        status=status,
        email=None if email is None else [one.lower() for one in email],
    )


@router.get("/{user_id}", dependencies=[requires(USER_READ)])
async def get_user(user_id: uuid.UUID, users: UserReads) -> UserRead:
    """One user, with the actions that are possible now."""
    return await users.get(user_id)


@router.patch("/{user_id}", dependencies=[requires(USER_WRITE)])
async def revise_user(user_id: uuid.UUID, patch: UserPatch, users: Users) -> UserRead:
    """Change name, address, role or reviewer flag. A new role or flag signs the user out.

    A new address withdraws links that went to the old one. The last active administrator keeps the role.
    """
    return await users.revise(user_id, patch)


@router.post("/{user_id}/transitions", dependencies=[requires(USER_WRITE)])
async def transition_user(user_id: uuid.UUID, given: UserTransitionRequest, users: Users) -> UserRead:
    """`invite` again, `lock`, `unlock` or `disable`. The last active administrator is neither locked nor disabled."""
    return await users.transition(user_id, given)


@router.delete("/{user_id}", status_code=204, dependencies=[requires(USER_WRITE)])
async def delete_user(user_id: uuid.UUID, version: VersionQuery, users: Users) -> None:
    """Soft-delete a user and sign it out. The e-mail address may then be given to another user."""
    await users.delete(user_id, version)


@router.post("/{user_id}/restore", dependencies=[requires(USER_WRITE)])
async def restore_user(user_id: uuid.UUID, given: RestoreRequest, users: Users) -> UserRead:
    """Bring a deleted user back, in the status that it had."""
    return await users.restore(user_id, given.version)
