"""Every refusal of a person who lacks a permission leaves an audit event, whichever code raised it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from fastapi import Request

from app.core.audit.actions import AuditAction
from app.core.audit.writer import record
from app.core.context import current_context
from app.core.errors import Forbidden
from app.core.permissions import Principal
from app.core.runtime import Runtime


class AccessAction(AuditAction):
    DENIED = "access.denied"


async def record_refusal(request: Request, refusal: Forbidden) -> None:
    """Records who was refused what. It has its own unit of work, because the request's was rolled back.

    The event is about the user, or the external API key. It names the method, the route, the ids in the path and the
    missing permission, but nothing of the query or the body. A request without a verified token leaves no event,
    because the user is unknown.
    """
    await record_denial(request.app.state.runtime, request.method, _ids(request.path_params), refusal)


async def record_denial(runtime: Runtime, method: str, ids: Mapping[str, uuid.UUID], refusal: Forbidden) -> None:
    """Records that the user of the present context was refused. `method` is the verb, on the context's route."""
    context = current_context()
    if context is None or context.tenant_id is None or context.actor_user_id is None:
        return
    asked = {"method": method, "route": context.route, "ids": ids, "permission": refusal.permission}
    async with runtime.unit_of_work(Principal.system(context.tenant_id)) as uow:
        await record(
            uow,
            AccessAction.DENIED,
            entity_type=context.actor_type,
            entity_id=context.actor_user_id,
            actor_user_id=context.actor_user_id,
            metadata=asked,
        )


def _ids(parameters: Mapping[str, Any]) -> dict[str, uuid.UUID]:
    """The path parameters that are ids. Other parameters may hold any text of the client."""
    found = {}
    for name, value in parameters.items():
        try:
            found[name] = uuid.UUID(str(value))
        except ValueError:
            continue
    return found
