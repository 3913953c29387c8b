"""Finds the operation of a request in a table of the declared paths. The time does not grow with their number.

FastAPI asks every route in turn whether it matches, and an included router asks its own routes again on each level.
The table follows the segments of the path to the few routes that can match, and asks only those. The framework's
routes still decide the meaning of a path, a converter or a method.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, get_args, get_origin

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic import BaseModel
from starlette._utils import get_route_path
from starlette.convertors import FloatConvertor, IntegerConvertor, StringConvertor, UUIDConvertor
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.routing import PARAM_REGEX, BaseRoute, Match, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.errors import Problem, refuse
from app.core.http import spelled_as_ours
from app.core.paths import API_PREFIX

_UNKNOWN = "There is no such parameter here."
_WITHIN_A_SEGMENT = (StringConvertor, IntegerConvertor, FloatConvertor, UUIDConvertor)  # their values hold no slash


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared route. If two routes match the same request, the one with the lower `place` is taken.

    `path` and `methods` are those that clients use, with the prefixes of all including routers.
    """

    place: int
    path: str
    methods: frozenset[str]
    matches: Callable[[Scope], tuple[Match, Scope]]
    app: ASGIApp
    route: APIRoute | None  # None: a page of the framework's own, such as the document's viewer
    query: Mapping[str, bool]
    """The parameters of the query, and whether a client may repeat each of them."""

    def takes(self, method: str) -> bool:
        return not self.methods or method in self.methods


@dataclass(slots=True)
class _Node:
    """The declared paths that begin with the same segments. `ending` end here, `open_ended` here or anywhere below."""

    named: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None
    ending: list[Declared] = field(default_factory=list)
    open_ended: list[Declared] = field(default_factory=list)


class RouteTable:
    """Replaces the linear search of `router`.

    The table is built at the first request. A route that is declared later is not found. WebSockets and the lifespan
    stay with the router. `find` raises TypeError for mounted applications and hosts, which have no place in a table.
    """

    def __init__(self, router: APIRouter) -> None:
        self._router = router
        self._root: _Node | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises HTTPException 404 for a path that nothing declares, 405 with `Allow` for a method."""
        if scope["type"] != "http":
            await self._router.app(scope, receive, send)
            return
        scope.setdefault("router", self._router)
        found = self.find(scope)
        if found is None:
            await self._router.default(scope, receive, send)
            return
        declared, matched = found
        scope.update(matched)
        if declared.route is not None:
            scope["route"] = declared.route
        if not declared.takes(scope["method"]):
            headers = {"Allow": ", ".join(sorted(self.allowed_methods(scope)))}
            raise HTTPException(405, headers=headers)  # lint: allow FQ304 (the handlers map it to MethodNotAllowed)
        if declared.path.startswith(API_PREFIX) and (query_string := scope.get("query_string")):
            _require_declared(declared, query_string)
        await declared.app(scope, receive, send)

    def find(self, scope: Scope) -> tuple[Declared, Scope] | None:
        """The route of an HTTP request and what its match adds to the scope.

        If no route of the path takes the method, one of them is returned all the same.
        """
        candidates = self._candidates(scope)
        method = scope["method"]
        for takes in (True, False):
            for declared in candidates:
                if declared.takes(method) is takes:
                    match, matched = declared.matches(scope)
                    if match is not Match.NONE:
                        return declared, matched
        return None

    def allowed_methods(self, scope: Scope) -> set[str]:
        """The methods of all routes that have the path of the request, whatever its own method is."""
        having_the_path = (route for route in self._candidates(scope) if route.matches(scope)[0] is not Match.NONE)
        return {method for route in having_the_path for method in route.methods}

    def _candidates(self, scope: Scope) -> list[Declared]:
        """The routes whose fixed segments the path has, in the order of their declaration."""
        nodes = [self._root or self._build()]
        found: list[Declared] = []
        for segment in _segments(get_route_path(scope)):
            below = []
            for node in nodes:
                found += node.open_ended
                if (named := node.named.get(segment)) is not None:
                    below.append(named)
                if node.variable is not None:
                    below.append(node.variable)
            nodes = below
            if not nodes:
                break
        for node in nodes:
            found += node.open_ended
            found += node.ending
        found.sort(key=attrgetter("place"))
        return found

    def _build(self) -> _Node:
        root = _Node()
        for place, context in enumerate(iter_route_contexts(self._router.routes)):
            original = context.original_route
            if not isinstance(original, WebSocketRoute):
                _put(root, _declared(place, context, original), context)
        self._root = root
        return root


def _declared(place: int, context: RouteContext, original: BaseRoute) -> Declared:
    if not isinstance(original, Route):
        raise TypeError(f"{type(original).__name__} {context.path} has no place in a table of routes")
    return Declared(
        place=place,
        path=context.path or "",
        methods=frozenset(context.methods or ()),
        matches=context.matches,
        app=context.app,
        route=original if isinstance(original, APIRoute) else None,
        query=dict(_query_of(context.dependant)) if isinstance(original, APIRoute) else {},
    )


def _query_of(dependant: Any) -> Iterator[tuple[str, bool]]:
    """The names that clients write. A parameter that is a model stands for its fields."""
    for parameter in dependant.query_params:
        annotation = parameter.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            for name, held in annotation.model_fields.items():
                yield held.alias or name, _takes_many(held.annotation)
        else:
            yield parameter.alias, _takes_many(annotation)
    for below in dependant.dependencies:
        yield from _query_of(below)


def _takes_many(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(map(_takes_many, get_args(annotation)))


def _require_declared(declared: Declared, query_string: bytes) -> None:
    """Checks the query of an operation of the API. Health and metrics answer a probe whatever it appends.

    Raises ValidationFailed for a parameter that the operation does not have, or has once and is given twice.

    Left to itself the framework takes the first in silence, and of the second only the last: a list would show what
    nobody asked for.
    """
    given = Counter(name for name, _ in QueryParams(query_string).multi_items())
    unknown = [Problem(spelled_as_ours(name), "unknown_parameter", _UNKNOWN) for name in given.keys() - declared.query]
    repeated = [
        Problem(name, "repeated_parameter", "Give this parameter once.")
        for name, times in given.items()
        if times > 1 and not declared.query.get(name, True)
    ]
    refuse([*unknown, *repeated])


def _put(root: _Node, declared: Declared, context: RouteContext) -> None:
    node = root
    for segment in _segments(declared.path):
        converters = [context.param_convertors[parameter[1]] for parameter in PARAM_REGEX.finditer(segment)]
        if any(type(converter) not in _WITHIN_A_SEGMENT for converter in converters):
            node.open_ended.append(declared)
            return
        if converters:
            node.variable = node.variable or _Node()
            node = node.variable
        else:
            node = node.named.setdefault(segment, _Node())
    node.ending.append(declared)


def _segments(path: str) -> list[str]:
    """The segments of the path without a line feed at its end. The framework's patterns accept one after every path."""
    return path.removesuffix("\n").split("/")


def route_by_table(app: FastAPI) -> None:
    """Makes `app` find its operations by a table. Raises ValueError for an app that redirects slashes."""
    if app.router.redirect_slashes:
        raise ValueError("a table of routes redirects nothing: set redirect_slashes=False")
    app.router.middleware_stack = RouteTable(app.router)
