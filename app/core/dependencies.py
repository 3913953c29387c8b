"""The directive's dependencies: current_user, tenant_context and db_session (here `unit_of_work`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import Depends, Request

from app.core.audit.disclosures import Disclosure
from app.core.context import current_context
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.errors import Unauthenticated
from app.core.extensions.api_keys import authenticate, is_key
from app.core.extensions.models import ExternalApiKey
from app.core.ids import TenantId
from app.core.permissions import Permission, Principal
from app.core.runtime import Runtime


def runtime_of(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


async def current_user(request: Request) -> Principal:
    """The verified principal of the bearer token, which is an access token or an external API key.

    Raises Unauthenticated (or the session ended), TenantSuspended.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    runtime = runtime_of(request)
    if is_key(token):
        principal = await authenticate(runtime, token)
    else:
        principal = runtime.tokens.verify(token)
        await runtime.gate.admit(principal.tenant_id, principal.session_id)
    context = current_context()
    if context is not None:
        context.route = getattr(request.scope.get("route"), "path", None)
        context.tenant_id, context.actor_user_id = principal.tenant_id, principal.actor_id
        context.actor_type = "user" if principal.key_id is None else ExternalApiKey.entity_type
    return principal


CurrentUser = Annotated[Principal, Depends(current_user)]


async def tenant_context(principal: CurrentUser) -> TenantId:
    """The tenant. It comes from the token only."""
    return principal.tenant_id


async def unit_of_work(request: Request, principal: CurrentUser) -> AsyncIterator[UnitOfWork]:
    """A unit of work that commits after the endpoint has returned and before the response is sent (function scope)."""
    async with runtime_of(request).unit_of_work(principal) as uow:
        yield uow


async def read_unit_of_work(request: Request, principal: CurrentUser) -> AsyncIterator[ReadUnitOfWork]:
    async with runtime_of(request).read_unit_of_work(principal) as uow:
        yield uow


async def uow_factory(request: Request, principal: CurrentUser) -> Callable[[], UnitOfWork]:
    """A factory of units of work, for endpoints that call an outside system. None is open during the call."""
    runtime = runtime_of(request)
    return lambda: runtime.unit_of_work(principal)


Uow = Annotated[UnitOfWork, Depends(unit_of_work, scope="function")]
ReadUow = Annotated[ReadUnitOfWork, Depends(read_unit_of_work, scope="function")]
UowFactory = Annotated[Callable[[], UnitOfWork], Depends(uow_factory)]
TenantContext = Annotated[TenantId, Depends(tenant_context)]
RuntimeDependency = Annotated[Runtime, Depends(runtime_of)]


class Requires:
    """A route's declared permission. Routes without one (or without `public_route`) fail the architecture tests."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, principal: CurrentUser) -> None:
        principal.require(self.permission)


def requires(permission: Permission) -> Any:
    """`dependencies=[requires(CHART_READ)]` on a route. Raises Unauthenticated or Forbidden."""
    return Depends(Requires(permission))


class Discloses:
    """A route's declared disclosure. A route that answers with a document or a link has one (architecture tests)."""

    def __init__(self, disclosure: Disclosure) -> None:
        self.disclosure = disclosure

    async def __call__(self) -> AsyncIterator[None]:
        """Raises AssertionError if the endpoint returned an answer and did not record the disclosure."""
        yield
        context = current_context()
        if context is None or self.disclosure.action not in context.disclosed:
            raise AssertionError(f"{self.disclosure.action} was not recorded")


def discloses(disclosure: Disclosure) -> Any:
    """`dependencies=[requires(…), discloses(…)]` on a route. Nothing is sent before the disclosure is recorded."""
    return Depends(Discloses(disclosure), scope="function")


async def public_route() -> None:
    """Marks a route that needs no token (login, health)."""
