"""POST auth/login and GET auth/me."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from app.core.auth.permissions import SELF_READ
from app.core.auth.schemas import AccessToken, LoginRequest, MeRead
from app.core.auth.service import Auth, Me
from app.core.dependencies import public_route, requires

router = APIRouter(prefix="/auth", tags=["auth"])


@router.post("/login", dependencies=[Depends(public_route)])
async def login(given: LoginRequest, auth: Auth) -> AccessToken:
    """Sign in with agency slug, e-mail and password.

    Every failure answers alike: 401, whether the agency, the user or the password was wrong.
    """
    return await auth.login(given)


@router.get("/me", dependencies=[requires(SELF_READ)])
async def read_me(me: Me) -> MeRead:
    """The user that the token belongs to, with the permissions of the role."""
    return me
