"""What finding a route costs: the service's table of routes beside the framework's searches, one route after another.

`make bench ARGS=routing` asks for every declared operation once in each round, at today's number of routes and at three
times it. The rows are the table, Starlette's flat list, and FastAPI's nested routers as the service includes them. The
columns are CPU microseconds of one search and its ratio to Starlette's in the same round. No request is handled: every
route ends as soon as it is found. It exits with 1 only when it cannot measure, as when the three find different routes.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import PARAM_REGEX, Route, Router
from starlette.types import Message, Receive, Scope, Send

from app.core.paths import API_PREFIX
from app.core.routing import RouteTable
from app.registry import ROUTERS
from bench.equivalence import Unequal
from bench.report import Summary, table

SIZES = (1, 3)  # times today's number of routes
_BASE = "Starlette"
Search = Callable[[Scope], Awaitable[None]]
Operation = tuple[str, str]  # method and path


class _Ending(APIRoute):
    """A route that ends as soon as it is found."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        return


class _End:
    """The same as an application, for Starlette's own routes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        return


async def _nothing() -> None:
    return


async def _receive() -> Message:
    raise RuntimeError("no route reads a body")


async def _send(message: Message) -> None:
    raise RuntimeError("no route answers")


def nested(size: int) -> FastAPI:
    """The routes of the service's routers, included as `create_app` does, `size` times under different prefixes."""
    app = FastAPI(redirect_slashes=False, openapi_url=None)
    api = APIRouter(prefix=API_PREFIX)
    for copy in range(size):
        for router in ROUTERS:
            copied = APIRouter(prefix=f"/copy-{copy}" if copy else "", route_class=_Ending)
            for context in iter_route_contexts(router.routes):
                if context.methods:  # a websocket has none
                    copied.add_api_route(str(context.path), _nothing, methods=sorted(context.methods))
            api.include_router(copied)
    app.include_router(api)
    return app


def operations(app: FastAPI) -> list[Operation]:
    """Every declared operation, in the order of declaration."""
    return [
        (method, str(context.path))
        for context in iter_route_contexts(app.routes)
        for method in sorted(context.methods or ())
    ]


def searches(app: FastAPI) -> dict[str, Search]:
    """The three searches. Each notes in the scope what it found."""
    flat = Router([Route(path, _End(), methods=[method]) for method, path in operations(app)], redirect_slashes=False)
    by_table = RouteTable(app.router)

    async def ask_the_table(scope: Scope) -> None:
        found = by_table.find(scope)
        if found is not None:
            scope.update(found[1])

    async def ask_starlette(scope: Scope) -> None:
        await flat.app(scope, _receive, _send)

    async def ask_fastapi(scope: Scope) -> None:
        await app.router.app(scope, _receive, _send)

    return {"table": ask_the_table, _BASE: ask_starlette, "FastAPI": ask_fastapi}


def _scope(operation: Operation) -> dict[str, Any]:
    method, path = operation
    return {
        "type": "http",
        "method": method,
        "root_path": "",
        "path": PARAM_REGEX.sub(lambda _: str(uuid.uuid4()), path),
    }


async def prove_equal(ways: dict[str, Search], asked: Sequence[Operation]) -> None:
    """Raises Unequal when a search finds nothing, or other parameters than the others find."""
    for operation in asked:
        scope = _scope(operation)
        found = []
        for search in ways.values():
            own = dict(scope)
            await search(own)
            found.append(own.get("path_params"))
        if found[0] is None or any(parameters != found[0] for parameters in found):
            raise Unequal(f"{operation}: {found}")


async def measure(size: int, rounds: int) -> dict[str, list[float]]:
    """CPU microseconds of one search, a value per round. The searches take turns in each round."""
    app = nested(size)
    asked = operations(app)
    ways = searches(app)
    await prove_equal(ways, asked)
    random.Random(7).shuffle(asked)  # noqa: S311  # the same order in every run
    took: dict[str, list[float]] = {name: [] for name in ways}
    turns = list(ways.items())
    for _ in range(rounds):
        for name, search in turns:
            scopes = [_scope(operation) for operation in asked]
            started = time.process_time()
            for scope in scopes:
                await search(scope)
            took[name].append((time.process_time() - started) / len(scopes) * 1e6)
        turns.append(turns.pop(0))
    return took


def summarize(took: dict[int, dict[str, list[float]]]) -> Summary:
    """The medians over the rounds: a row per search, two columns per size."""
    summary: Summary = {name: {} for name in took[SIZES[0]]}
    for size, costs in took.items():
        for name, rounds in costs.items():
            ratios = [mine / other for mine, other in zip(rounds, costs[_BASE], strict=True)]
            summary[name][f"{size}x µs"] = round(statistics.median(rounds), 1)
            summary[name][f"{size}x ratio"] = round(statistics.median(ratios), 3)
    return summary


async def _run(rounds: int) -> Summary:
    return summarize({size: await measure(size, rounds) for size in SIZES})


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.routing", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="instead of the table")
    given = parser.parse_args(arguments)
    try:
        summary = asyncio.run(_run(given.rounds))
    except Unequal as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    print(orjson.dumps(summary).decode() if given.json else table(summary))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
