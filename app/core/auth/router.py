"""Sign-in, refresh, sign-out, passwords, and the user's own account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header

from app.core.auth.password_service import Passwords
from app.core.auth.permissions import SELF_READ, SELF_WRITE
from app.core.auth.schemas import (
    ChangePasswordRequest,
    ForgotPasswordAnswer,
    ForgotPasswordRequest,
    LoginRequest,
    LoginTokens,
    MeRead,
    RefreshRequest,
    ResetPasswordRequest,
    SessionTokens,
)
from app.core.auth.service import Auth, Me, RevisedMe
from app.core.auth.throttle import ClientAddress
from app.core.dependencies import CurrentUser, public_route, requires
from app.core.openapi import errors
from app.core.tags import Tag

TAG = Tag("auth", "Sign-in, sessions, passwords and the signed-in user.")
router = APIRouter(prefix="/auth", tags=["auth"])
RefreshKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Repeat it with the same token when the answer was lost: the same refresh token comes again",
    ),
]


@router.post("/login", responses=errors(401, 403, 429), dependencies=[Depends(public_route)])
async def login(given: LoginRequest, auth: Auth, address: ClientAddress) -> LoginTokens:
    """Sign in with agency slug, e-mail and password.

    Every failure answers alike: 401, whether the agency, the user or the password was wrong, or the user is not active.
    """
    return await auth.login(given, address)


@router.post("/refresh", responses=errors(401, 403, 429), dependencies=[Depends(public_route)])
async def refresh(
    given: RefreshRequest, auth: Auth, address: ClientAddress, idempotency_key: RefreshKey = None
) -> SessionTokens:
    """Exchange the refresh token for the next pair. Each is good once; an old one ends the session.

    Requests that were on their way at the same time get the same refresh token, and so does a repetition with the same
    Idempotency-Key.
    """
    return await auth.refresh(given, idempotency_key, address)


@router.post("/logout", status_code=204, dependencies=[requires(SELF_WRITE)])
async def logout(auth: Auth, principal: CurrentUser) -> None:
    """End the session that the access token belongs to."""
    await auth.logout(principal)


@router.get("/me", dependencies=[requires(SELF_READ)])
async def read_me(me: Me) -> MeRead:
    """The user that the token belongs to, with the permissions of the role."""
    return me


@router.patch("/me", dependencies=[requires(SELF_WRITE)])
async def revise_me(me: RevisedMe) -> MeRead:
    """Change one's own display name. Everything else is the administrators' to change."""
    return me


@router.post("/password/change", status_code=204, responses=errors(409, 429), dependencies=[requires(SELF_WRITE)])
async def change_password(
    given: ChangePasswordRequest, passwords: Passwords, principal: CurrentUser, address: ClientAddress
) -> None:
    """Set another password. Every session of the user ends, this one too: sign in again."""
    await passwords.change(principal, given, address)


@router.post("/password/forgot", status_code=202, responses=errors(429), dependencies=[Depends(public_route)])
async def request_password_reset(
    given: ForgotPasswordRequest, passwords: Passwords, address: ClientAddress
) -> ForgotPasswordAnswer:
    """Ask for a link by e-mail. The answer is the same whether there is such a user or not."""
    await passwords.forgot(given, address)
    return ForgotPasswordAnswer()


@router.post("/password/reset", status_code=204, responses=errors(401, 403, 429), dependencies=[Depends(public_route)])
async def reset_password(given: ResetPasswordRequest, passwords: Passwords, address: ClientAddress) -> None:
    """Set a password through the link of a reset or of an invitation, which makes the user active.

    A link works once; every session of the user ends. A bad link answers 401, a weak password 422.
    """
    await passwords.reset(given, address)
