"""The context of the present request or job. The middleware binds it once; logs, audit and errors read it."""

from __future__ import annotations

import uuid
from contextvars import ContextVar
from dataclasses import dataclass, field

from app.core.ids import TenantId


@dataclass(slots=True)
class RequestContext:
    """`request_id` is the trace_id of the error contract and the request_id of audit rows.

    `actor_type` is the kind of entity that the actor is: a user or an external API key.
    `disclosed` are the audit actions of the disclosures that this request has recorded.
    """

    request_id: uuid.UUID
    route: str | None = None
    tenant_id: TenantId | None = None
    actor_user_id: uuid.UUID | None = None
    actor_type: str = "user"
    disclosed: set[str] = field(default_factory=set)


_CURRENT: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)


def current_context() -> RequestContext | None:
    return _CURRENT.get()


def bind_context(context: RequestContext) -> None:
    """Binds the context for the present task. The context ends with its task, so nothing needs to be reset."""
    _CURRENT.set(context)


def current_request_id() -> uuid.UUID | None:
    context = _CURRENT.get()
    return None if context is None else context.request_id
