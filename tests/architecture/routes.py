"""The service's routes with what tests ask of them, from the app itself: none is listed by hand."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel

from app.core.audit.disclosures import Disclosure
from app.core.dependencies import Discloses, Requires, public_route
from app.core.permissions import Permission


@dataclass(frozen=True)
class Operation:
    """One method of one route. `permissions`, `disclosures` and `public` are what its dependencies declare.

    `media` are the content types of a success that the route declares itself: those of documents.
    """

    method: str
    path: str
    name: str
    tags: tuple[str, ...]
    description: str
    body: Any
    response: Any
    media: frozenset[str]
    status: int
    query: frozenset[str]
    permissions: tuple[Permission, ...]
    disclosures: tuple[Disclosure, ...]
    public: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def address(self) -> str:
        """The path with ids that nothing has."""
        return re.sub(r"\{[^}]*\}", lambda _: str(uuid.uuid4()), self.path)


def operations(app: FastAPI) -> list[Operation]:
    """Every operation of the API, documented or not."""
    return list(_operations(app))


def _operations(app: FastAPI) -> Iterator[Operation]:
    for context in iter_route_contexts(app.routes):
        if not isinstance(context.original_route, APIRoute):
            continue
        route: Any = context
        calls = list(_calls(route.dependant))
        for method in sorted(route.methods):
            yield Operation(
                method=method,
                path=route.path,
                name=route.unique_id,
                tags=tuple(route.tags or ()),
                description=route.description or "",
                body=None if route.body_field is None else route.body_field.field_info.annotation,
                response=route.response_model,
                media=frozenset((route.responses or {}).get(200, {}).get("content", ())),
                status=route.status_code or 200,
                query=frozenset(_query(route.dependant)),
                permissions=tuple(call.permission for call in calls if isinstance(call, Requires)),
                disclosures=tuple(call.disclosure for call in calls if isinstance(call, Discloses)),
                public=public_route in calls,
            )


def bare_routes(app: FastAPI) -> set[str]:
    """Paths that are no operations of the API: the document itself and its viewers."""
    return {
        str(context.path)
        for context in iter_route_contexts(app.routes)
        if not isinstance(context.original_route, APIRoute)
    }


def _calls(dependant: Any) -> Iterator[Any]:
    for found in dependant.dependencies:
        yield found.call
        yield from _calls(found)


def _query(dependant: Any) -> Iterator[str]:
    """The names that clients write: a parameter that is a model stands for its fields."""
    for parameter in dependant.query_params:
        annotation = parameter.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from (field.alias or name for name, field in annotation.model_fields.items())
        else:
            yield parameter.alias
    for found in dependant.dependencies:
        yield from _query(found)
