"""The OpenAPI document. It says what each operation may answer and who may call it, in standard keywords only."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field

from app.core.answers import Answers
from app.core.dependencies import Requires
from app.core.lifecycle import registered_lifecycles
from app.core.meanings import describe_fields, describe_parameters
from app.core.paths import API_PREFIX


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
    403: "Not permitted to this role, key or person",
    404: "No such resource (or another agency's)",
    409: "Stale version, refused transition, or duplicate",
    413: "Body too large",
    415: "Body of another media type",
    422: "The request is not valid",
    429: "Too many requests",
    500: "Our fault; quote the trace_id",
    503: "Busy or degraded; try again",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=errors(401, 429)` on a route adds to the errors that `document` derives from its declaration."""
    return {status: {"model": ErrorEnvelope, "description": _STATUSES[status]} for status in statuses}


TEXT: dict[str, Any] = {"schema": {"type": "string"}}
BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
"""The content of one media type, in a body or an answer that is no JSON: `{"application/xml": BINARY}`."""
COMMON_ERRORS = errors(500, 503)


@dataclass(frozen=True, kw_only=True)
class Told:
    """The parts of the document beyond the declarations of routes and models.

    `examples` are JSON bodies by the id of their operation, `values` are for answers (`answers.Answers`).
    `meanings` describe fields, `parameters` describe parameters.
    """

    examples: Mapping[str, Any]
    values: Mapping[str, Any]
    meanings: Mapping[str, str]
    parameters: Mapping[str, str]


def document(app: FastAPI, told: Told) -> None:
    """Makes the document once, at the first request for it."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = generate()
            schema["servers"] = [{"url": "/", "description": "The service that this document comes from"}]
            schema["components"]["securitySchemes"] = {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The access token of a sign-in, or an external API key (`fqk_…`)",
                }
            }
            for part in _parts(schema):
                _use_standard_keywords(part)
            _name_shortly(schema)
            describe_fields(schema["components"]["schemas"], told.meanings)
            _exemplify_fields(schema, told.values)
            _describe_permissions(app, schema)
            _describe_repetition(schema)
            answers = Answers(schema, told.examples, told.values, registered_lifecycles())
            for path, operations in schema["paths"].items():
                for operation in operations.values():
                    _describe_errors(operation, schema, of_api=path.startswith(API_PREFIX))
                    describe_parameters(operation, told.parameters)
                    _show_example(operation, told.examples)
                    answers.show(operation)
            _describe_repeated_parameters(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _operations(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in schema["paths"].values():
        yield from operations.values()


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """Every object within the document."""
    if isinstance(value, dict):
        yield value
        for below in value.values():
            yield from _parts(below)
    elif isinstance(value, list):
        for below in value:
            yield from _parts(below)


def _name_shortly(schema: dict[str, Any]) -> None:
    """Names each page like its class, and leaves out the framework's schemas for errors that the API does not use."""
    models = schema["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        models.pop(unused, None)
    short = {name: model["title"] for name, model in models.items() if name.endswith("_")}
    schema["components"]["schemas"] = {short.get(name, name): model for name, model in models.items()}
    for part in _parts(schema):
        place, _, name = str(part.get("$ref", "")).rpartition("/")
        if name in short:
            part["$ref"] = f"{place}/{short[name]}"


def _exemplify_fields(schema: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Gives fields of requests the examples that `values` tells as `Schema.field`."""
    for name, model in schema["components"]["schemas"].items():
        if name.endswith(("Create", "Patch")):
            for field, described in model["properties"].items():
                if f"{name}.{field}" in values:
                    described["examples"] = [values[f"{name}.{field}"]]


def _use_standard_keywords(schema: dict[str, Any]) -> None:
    """States the bounds of a decimal in JSON Schema and in words.

    A decimal is sent as a number or as text. For such a choice pydantic writes the bounds under its own names. Here
    they become `minimum` and `maximum` of the number. JSON Schema has no bounds for a number written as text.
    """
    if "anyOf" not in schema:
        return
    lowest, highest = schema.pop("ge", None), schema.pop("le", None)
    places, _ = schema.pop("decimal_places", None), schema.pop("max_digits", None)
    for branch in schema["anyOf"]:
        if branch.get("type") in ("integer", "number"):
            branch |= {"minimum": lowest} if lowest is not None else {}
            branch |= {"maximum": highest} if highest is not None else {}
    bounds = [f"from {lowest}"] if lowest is not None else []
    bounds += [f"to {highest}"] if highest is not None else []
    bounds += [f"decimal places: {places} at most"] if places is not None else []
    if bounds:
        schema["description"] = ", ".join(bounds).capitalize()


def _describe_permissions(app: FastAPI, schema: dict[str, Any]) -> None:
    """Each operation says whether it takes a token, and which permission it requires."""
    for operation in _operations(schema):
        operation["security"] = []
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
    """A creation with a client-made `id` answers 201. If it is sent again, it answers 200 with the present resource."""
    for operations in schema["paths"].values():
        operation = operations.get("post", {})
        created = operation.get("responses", {}).get("201")
        if created is not None and "id" in _fields(operation, schema):
            repeated = {**created, "description": "Created before by the same `id` and body"}
            operation["responses"] = {"200": repeated, **operation["responses"]}


def _describe_repeated_parameters(schema: dict[str, Any]) -> None:
    """A filter of several values is given several times: `status=draft&status=in_progress`."""
    for operation in _operations(schema):
        for parameter in operation.get("parameters", ()):
            kinds = parameter["schema"].get("anyOf", [parameter["schema"]])
            if parameter["in"] == "query" and any(kind.get("type") == "array" for kind in kinds):
                parameter |= {"style": "form", "explode": True}
                if described := parameter.get("description"):
                    parameter["description"] = f"{described}. Give it several times for one of several values"


def _describe_errors(operation: dict[str, Any], schema: dict[str, Any], *, of_api: bool) -> None:
    """Adds the errors that follow from the input of an operation, and keeps those that its route declares.

    The token or the permission may be missing. A body may be unreadable, too large or of another type. A value may be
    invalid, and every operation of the API refuses a parameter that it does not have. The object of a path, or of an
    id that must be sent, may be missing; an id that may be sent is a value like others. A version may be stale.
    """
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    in_path = any(parameter["in"] == "path" for parameter in operation.get("parameters", ()))
    fields = _fields(operation, schema)
    required = _body(operation, schema).get("required", ())
    refers = in_path or any(name in required and _is_reference(field) for name, field in fields.items())
    known = [
        *((401, 403) if operation["security"] else ()),
        *((404,) if refers and operation["security"] else ()),
        *((409,) if {"version", "id", "Idempotency-Key"} & {*names, *fields} and operation["security"] else ()),
        *((400, 413, 415) if "requestBody" in operation else ()),
        *((422,) if of_api or names or "requestBody" in operation else ()),
    ]
    responses = operation["responses"]
    reference = {"application/json": {"schema": {"$ref": f"#/components/schemas/{ErrorEnvelope.__name__}"}}}
    for status in known:
        responses[str(status)] = {"description": _STATUSES[status], "content": reference}
    operation["responses"] = dict(sorted(responses.items()))


def _show_example(operation: dict[str, Any], examples: Mapping[str, Any]) -> None:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None and operation["operationId"] in examples:
        body["example"] = examples[operation["operationId"]]


def _fields(operation: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The fields of an operation's JSON body."""
    fields: dict[str, Any] = _body(operation, schema).get("properties", {})
    return fields


def _body(operation: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of an operation's JSON body, or an empty one."""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    model: dict[str, Any] = schema["components"]["schemas"].get(body.get("$ref", "").rsplit("/", 1)[-1], {})
    return model


def _is_reference(field: dict[str, Any]) -> bool:
    """True if the field is the id of something, or a list of such ids."""
    return "uuid" in (field.get("format"), field.get("items", {}).get("format"))


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
