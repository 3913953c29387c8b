"""The table of routes gives the answers of the framework's own search, for every path and method."""

from __future__ import annotations

import functools
from collections.abc import Coroutine, Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.routing import APIRoute, iter_route_contexts
from hypothesis import given
from hypothesis import settings as run_with
from hypothesis import strategies as st
from starlette.convertors import CONVERTOR_TYPES, Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import PARAM_REGEX, Match, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.config import Settings
from app.core.routing import RouteTable, route_by_table
from app.main import create_app

METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "get", "BREW"]
BOOKKEEPING = {"effective_route_context", "included_router"}
ODD = ["", " ", "\n", "a\n", "%2F", "%0A", ".", "..", "*", "{id}", "-1", "7", "007", "1.5", "é", "x" * 300, "a:b", "A"]


class Sentence(Convertor[str]):
    """A converter of the tests' own, whose values may hold slashes."""

    regex = "[a-z/]+s"

    def convert(self, value: str) -> str:
        return value.upper()

    def to_string(self, value: str) -> str:
        return value.lower()


async def _nothing() -> None:
    return None


@pytest.fixture(scope="module")
def every_convertor() -> Iterator[FastAPI]:
    """Nested routers whose paths overlap, with every converter there is, and one of the tests' own."""
    register_url_convertor("sentence", Sentence())
    app = FastAPI(redirect_slashes=False)
    things, parts = APIRouter(prefix="/things"), APIRouter(prefix="/{thing}/parts")
    for path, methods in {
        "": ["GET"],
        "/": ["POST"],
        "/{thing}": ["GET"],
        "/search": ["GET", "POST"],
        "/{number:int}": ["PATCH"],
        "/{number:int}/{ratio:float}": ["GET"],
        "/{name}.json": ["GET"],
        "/{first}-{second}": ["PUT"],
        "/{key:uuid}/search": ["GET"],
        "/{rest:path}": ["DELETE"],
        "/files/{rest:path}/raw": ["GET"],
        "/says-{words:sentence}": ["GET"],
        "/{id}/{id2}/a": ["GET"],
    }.items():
        things.add_api_route(path, _nothing, methods=methods)
    for path in ("", "/{part}", "/a"):
        parts.add_api_route(path, _nothing, methods=["GET", "POST"])
    things.include_router(parts)
    things.add_api_route("/{thing}/{any}", _nothing, methods=["GET", "OPTIONS"])
    things.add_api_route("/search", _nothing, methods=["PUT"])
    app.include_router(things, prefix="/api")
    app.include_router(things, prefix="/{tenant}")
    app.add_api_route("/api/{rest:path}", _nothing, methods=["HEAD"])
    app.add_route("/page", lambda _: Response(), methods=["GET"])
    app.router.routes.append(Route("/any{rest:path}", Page))
    route_by_table(app)
    yield record_what_is_reached(app)
    del CONVERTOR_TYPES["sentence"]


class Page:
    """An application as an endpoint: Starlette gives it requests of every method."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["reached"] = "page"


@pytest.fixture(scope="module")
def real(settings: Settings) -> FastAPI:
    return record_what_is_reached(create_app(settings))


def record_what_is_reached(app: FastAPI) -> FastAPI:
    """Every route notes in the scope that it was reached, and does nothing else."""
    for place, context in enumerate(iter_route_contexts(app.routes)):
        route: Any = context._effective_route
        route.app = _recorder(place)
    return app


def _recorder(place: int) -> ASGIApp:
    async def record(scope: Scope, receive: Receive, send: Send) -> None:
        scope["reached"] = place

    return record


async def _receive() -> Message:
    raise AssertionError("nothing reads the body")


async def _send(message: Message) -> None:
    raise AssertionError("nothing answers")


def outcome(search: ASGIApp, app: FastAPI, request: dict[str, str]) -> dict[str, Any]:
    """What a request comes to: the route that is reached, or the refusal, and all that the scope says afterwards."""
    scope: dict[str, Any] = {"type": "http", "app": app, **request}
    status = None
    try:
        _finish(search(scope, _receive, _send))
    except HTTPException as refusal:
        status = refusal.status_code
        scope["allow"] = (refusal.headers or {}).get("Allow")
    return {**scope, "status": status}


def _finish(coroutine: Any) -> None:
    """Run what never waits."""
    running: Coroutine[Any, Any, None] = coroutine
    with pytest.raises(StopIteration):
        running.send(None)


def assert_same(app: FastAPI, request: dict[str, str]) -> None:
    by_list = outcome(app.router.app, app, request)
    by_table = outcome(app.router.middleware_stack, app, request)
    assert set(by_list.pop("fastapi", {})) <= BOOKKEEPING, "the framework tells its handlers something new"
    allowed, first = by_table.pop("allow", None), by_list.pop("allow", None)
    assert by_table == by_list
    assert (allowed is None) is (first is None)
    if allowed is not None:
        assert set(allowed.split(", ")) == _methods_of_the_path(app, request)


def _methods_of_the_path(app: FastAPI, request: dict[str, str]) -> set[str]:
    scope = {"type": "http", **request}
    having = [context for context in iter_route_contexts(app.routes) if context.matches(scope)[0] is not Match.NONE]
    return {method for context in having for method in context.methods or ()}


@functools.cache
def requests_to(app: FastAPI) -> st.SearchStrategy[dict[str, str]]:
    """Declared paths with anything for their parameters, spoilt declared paths, and paths of the declared words."""
    templates = [str(context.path) for context in iter_route_contexts(app.routes)]
    words = sorted({segment for template in templates for segment in template.split("/") if "{" not in segment})
    values = st.one_of(
        st.sampled_from([*words, *ODD, "9b2d5f5e-3c1a-4f0e-8f57-2f1f5f0b7a11", "files/a/raw", "ones"]),
        st.text(max_size=8),
    )

    @st.composite
    def filled(draw: st.DrawFn) -> str:
        return PARAM_REGEX.sub(lambda _: draw(values), draw(st.sampled_from(templates)))

    @st.composite
    def spoilt(draw: st.DrawFn) -> str:
        segments = draw(filled()).split("/")
        place = draw(st.integers(0, len(segments) - 1))
        segments[place : place + draw(st.integers(0, 1))] = draw(st.lists(values, max_size=2))
        return "/".join(segments)

    joined = st.lists(values, max_size=7).map("/".join)
    ends = st.sampled_from(["", "", "", "/", "\n", "/\n", "//"])
    roots = st.sampled_from(["", "", "/api", "/v0"])

    @st.composite
    def request(draw: st.DrawFn) -> dict[str, str]:
        root = draw(roots)
        below = draw(st.one_of(st.just(root), st.just(root), roots))
        path = draw(st.one_of(filled(), filled(), spoilt(), joined)) + draw(ends)
        return {"path": below + path, "method": draw(st.sampled_from(METHODS)), "root_path": root}

    return request()


@run_with(deadline=None, max_examples=100)
@given(data=st.data())
def test_the_service_routes_as_the_framework_does(real: FastAPI, data: st.DataObject) -> None:
    assert_same(real, data.draw(requests_to(real)))


@run_with(deadline=None, max_examples=100)
@given(data=st.data())
def test_every_converter_routes_as_the_framework_does(every_convertor: FastAPI, data: st.DataObject) -> None:
    assert_same(every_convertor, data.draw(requests_to(every_convertor)))


def test_every_declared_operation_is_found(real: FastAPI) -> None:
    """With a plain id for each parameter: each by its own methods, and none by one that nothing takes."""
    declared = [
        context
        for context in iter_route_contexts(real.routes)
        if not isinstance(context.original_route, WebSocketRoute)
    ]
    reached = set()
    for context in declared:
        path = PARAM_REGEX.sub("7", str(context.path))
        for method in ("BREW", *(context.methods or ())):
            request = {"path": path, "method": method, "root_path": ""}
            assert_same(real, request)
            reached.add(outcome(real.router.middleware_stack, real, request).get("reached"))
    assert reached == {None, *range(len(declared))}


async def test_requests_are_not_searched_for_in_the_list(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The framework calls the table in place of its own search, of which `APIRoute.matches` is a part."""

    def refuse(*_: object) -> tuple[Match, Scope]:
        raise AssertionError("the list is searched")

    monkeypatch.setattr(APIRoute, "matches", refuse)
    assert (await client.get("/health/live")).status_code == 200
    assert (await client.get("/health/unheard-of")).status_code == 404
    refused = await client.put("/health/live")
    assert refused.status_code == 405 and refused.headers["allow"] == "GET, HEAD"


async def test_websockets_are_left_to_the_framework() -> None:
    app = FastAPI(redirect_slashes=False)

    @app.websocket("/feed/{name}")
    async def feed(socket: WebSocket, name: str) -> None:
        await socket.accept(subprotocol=name)
        await socket.close()

    route_by_table(app)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/feed/a", "headers": [], "query_string": b"", "subprotocols": []}
    await app(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]
    assert sent[0]["subprotocol"] == "a"
    request = {"path": "/feed/a", "method": "GET", "root_path": ""}
    assert outcome(app.router.middleware_stack, app, request)["status"] == 404


def test_what_has_no_place_in_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="redirect_slashes"):
        route_by_table(FastAPI())
    app = FastAPI(redirect_slashes=False)
    app.mount("/files", Page())
    with pytest.raises(TypeError, match="/files"):
        RouteTable(app.router).find({"type": "http", "path": "/files/a", "method": "GET"})
