"""The OpenAPI document: the error contract on every operation, permissions in the descriptions."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field

from app.core.dependencies import Requires


class ErrorBody(BaseModel):
    code: str = Field(examples=["CONFLICT"])
    message: str = Field(examples=["Somebody changed this since you loaded it."])
    details: dict[str, Any] = Field(examples=[{"server_version": 4, "updated_at": "2026-11-01T12:00:00+00:00"}])
    trace_id: uuid.UUID


class ErrorEnvelope(BaseModel):
    """Every error of every status has this body (docs/errors.md lists the codes)."""

    error: ErrorBody


_STATUSES = {
    400: "The request could not be read",
    401: "No valid access token",
    403: "The role does not permit this",
    404: "No such resource (or another agency's)",
    405: "Method not allowed",
    409: "Stale version, refused transition, or duplicate",
    413: "Body too large",
    415: "Body is not JSON",
    422: "The request is not valid",
    429: "Too many requests",
    500: "Our fault; quote the trace_id",
    503: "Busy or degraded; try again",
}
COMMON_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorEnvelope, "description": description} for status, description in _STATUSES.items()
}


def document(app: FastAPI) -> None:
    """Make the document once, with each operation's permission in its description and bearer security."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = generate()
            schema["components"]["securitySchemes"] = {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            }
            _describe_permissions(app, schema)
            _describe_repetition(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _describe_permissions(app: FastAPI, schema: dict[str, Any]) -> None:
    for route in iter_route_contexts(app.routes):
        permission = route_permission(route)
        operations = schema["paths"].get(getattr(route, "path_format", None) or getattr(route, "path", None))
        if permission is None or operations is None:
            continue
        roles = ", ".join(sorted(permission.roles)) or "reviewers"
        for method in route.methods or ():
            operation = operations.get(method.lower())
            if operation is not None:
                described = operation.get("description", "")
                operation["description"] = f"{described}\n\nPermission: `{permission.name}` ({roles})."
                operation["security"] = [{"bearer": []}]


def _describe_repetition(schema: dict[str, Any]) -> None:
    """A creation with a client-made `id` answers 201 and, sent again, 200 with the resource as it stands."""
    for operations in schema["paths"].values():
        operation = operations.get("post", {})
        created = operation.get("responses", {}).get("201")
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        model = schema["components"]["schemas"].get(body.get("$ref", "").rsplit("/", 1)[-1], {})
        if created is not None and "id" in model.get("properties", {}):
            repeated = {**created, "description": "Created before by the same `id` and body"}
            operation["responses"] = {"200": repeated, **operation["responses"]}


def route_permission(route: Any) -> Any:
    """The permission that a route declares with `requires`, or None."""
    dependant = getattr(route, "dependant", None)
    pending = list(dependant.dependencies) if dependant is not None else []
    while pending:
        found = pending.pop()
        if isinstance(found.call, Requires):
            return found.call.permission
        pending.extend(found.dependencies)
    return None
