"""Sign-in: the tenant by its slug, the user by e-mail, the same answer for every kind of failure."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends

from app.core.audit.writer import record
from app.core.auth.schemas import AccessToken, LoginRequest, MeRead
from app.core.dependencies import ReadUow, RuntimeDependency
from app.core.errors import TenantSuspended, Unauthenticated
from app.core.ids import TenantId, UserId
from app.core.permissions import Principal, Role, registered_permissions
from app.core.runtime import Runtime
from app.core.tenants.models import TenantStatus
from app.core.users.models import UserStatus
from app.core.users.repository import UserRepository, get_cross_tenant_for_admin_only_by_login


class AuthAction(StrEnum):
    LOGGED_IN = "auth.logged_in"
    LOGIN_FAILED = "auth.login_failed"


class AuthService:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def login(self, given: LoginRequest) -> AccessToken:
        """Raises Unauthenticated alike for an unknown agency, an unknown user and a wrong password."""
        async with self._runtime.system_unit_of_work() as system:
            found = await get_cross_tenant_for_admin_only_by_login(
                system, given.tenant_slug, given.email.strip().lower()
            )
        known = found is not None and found["id"] is not None
        accepted = await self._runtime.passwords.verify(given.password, found["password_hash"] if known else None)
        accepted = accepted and found["status"] == UserStatus.ACTIVE
        if found is not None:
            await self._audit(found, accepted=accepted)
        if not accepted:
            raise Unauthenticated("The agency, e-mail or password is wrong.")
        if found["tenant_status"] != TenantStatus.ACTIVE:
            raise TenantSuspended
        tokens = self._runtime.tokens
        token = tokens.issue(
            user_id=found["id"],
            tenant_id=found["tenant_id"],
            role=Role(found["role"]),
            is_reviewer=found["is_reviewer"],
        )
        return AccessToken(access_token=token, expires_in=tokens.seconds)

    async def _audit(self, found: Any, *, accepted: bool) -> None:
        """In its own unit of work: it must persist although the request is refused."""
        user_id: uuid.UUID | None = found["id"]
        async with self._runtime.unit_of_work(Principal.system(TenantId(found["tenant_id"]))) as uow:
            await record(
                uow,
                AuthAction.LOGGED_IN if accepted else AuthAction.LOGIN_FAILED,
                entity_type="tenant" if user_id is None else "user",
                entity_id=user_id or found["tenant_id"],
                actor_user_id=UserId(user_id) if accepted and user_id is not None else None,
            )


async def auth_service(runtime: RuntimeDependency) -> AuthService:
    return AuthService(runtime)


async def read_me(uow: ReadUow) -> MeRead:
    """The user behind the token. Raises Unauthenticated when it is gone."""
    principal = uow.principal
    user = None
    if principal.user_id is not None:
        user = await UserRepository(uow).find(uow.tenant_id, principal.user_id)
    if user is None:
        raise Unauthenticated
    return MeRead(
        id=user.id,
        tenant_id=user.tenant_id,
        email=user.email,
        display_name=user.display_name,
        role=user.role,
        is_reviewer=user.is_reviewer,
        permissions=[permission.name for permission in registered_permissions() if permission.held_by(principal)],
    )


Auth = Annotated[AuthService, Depends(auth_service)]
Me = Annotated[MeRead, Depends(read_me)]
