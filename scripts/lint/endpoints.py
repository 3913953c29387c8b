"""Rules for routers and schemas: routers parse, delegate and answer, errors are raised, request models are strict."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from http import HTTPStatus

from scripts.lint.rule import Fault, Scope, Section, rule
from scripts.lint.source import Function, SourceFile, argument, last_name

_ROUTERS = Scope(within=("app/",), named=("router.py", "routes.py"))
_OUTSIDE_SYSTEMS = frozenset(
    {"aiobotocore", "asyncpg", "boto3", "botocore", "httpx", "redis", "requests", "sqlalchemy", "stripe"}
)
_LOWER_ROOMS = re.compile(r"(?:^|\.)(?:repository|gateway)(?:\.|$)|Repository$")
_VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "websocket", "api_route"})
_TOO_LONG = 15


@rule(
    "FQ301",
    "a router that imports a database, a repository or an outside system",
    because="routers hold no queries and no outside calls (directive 1.2)",
    section=Section.LAYERS,
    scope=_ROUTERS,
)
def router_reaches_down(node: ast.Import | ast.ImportFrom, file: SourceFile) -> Iterable[Fault]:
    prefix = f"{file.origin(node)}." if isinstance(node, ast.ImportFrom) else ""
    for alias in node.names:
        imported = prefix + alias.name
        if imported.partition(".")[0] in _OUTSIDE_SYSTEMS or _LOWER_ROOMS.search(imported):
            yield node, f"a router does not import {imported}; its service does"


@rule(
    "FQ302",
    "an endpoint of fifteen statements or more",
    because="an endpoint body stays under ten; what is longer holds business logic",
    section=Section.MAP,
    scope=Scope(within=("app/",)),
)
def long_endpoint(function: ast.FunctionDef | ast.AsyncFunctionDef, file: SourceFile) -> Iterable[Fault]:
    if not is_endpoint(function):
        return
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    length = sum(isinstance(node, ast.stmt) for statement in body for node in ast.walk(statement))
    if length >= _TOO_LONG:
        yield function, f"{function.name} has {length} statements; move the work into its service"


def is_endpoint(function: Function) -> bool:
    """True if the function is decorated with a verb of something called a router."""
    calls = [decorator.func for decorator in function.decorator_list if isinstance(decorator, ast.Call)]
    return any(
        isinstance(verb, ast.Attribute) and verb.attr in _VERBS and last_name(verb.value).endswith("router")
        for verb in calls
    )


@rule(
    "FQ303",
    "an error answered as a response",
    because="a returned response commits the unit of work; a raised AppError rolls it back and keeps the contract",
    section=Section.COMMITTER,
    scope=Scope(within=("app/",)),
)
def error_returned(node: ast.Call | ast.Assign, file: SourceFile) -> Iterable[Fault]:
    if isinstance(node, ast.Assign):
        assigned = any(isinstance(target, ast.Attribute) and target.attr == "status_code" for target in node.targets)
        if assigned and (_status(node.value) or 0) >= 400:
            yield node, "raise an AppError instead of setting an error status"
        return
    name = file.qualified(node.func)
    given = argument(node, 1, "status_code")
    if given is None or not name.startswith(("fastapi.", "starlette.")) or not name.endswith("Response"):
        return
    status = _status(given)
    if status is None and _ROUTERS.covers(file.path):
        yield node, "this status cannot be seen to be below 400; raise an AppError for a refusal"
    elif status is not None and status >= 400:
        yield node, f"raise an AppError instead of answering {status}"


def _status(node: ast.expr) -> int | None:
    """The number that `404`, `status.HTTP_404_NOT_FOUND` or `HTTPStatus.NOT_FOUND` stands for, or None."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, int) else None
    name = last_name(node)
    numbered = re.match(r"HTTP_(\d{3})_", name)
    if numbered:
        return int(numbered[1])
    return HTTPStatus[name].value if name in HTTPStatus.__members__ else None


@rule(
    "FQ304",
    "raising or making an HTTPException",
    because="AppError is the only error with a stable code, a title and a place in docs/errors.md",
    section=Section.DECLARED,
    scope=Scope(within=("app/",)),
)
def http_exception(node: ast.Raise | ast.Call, file: SourceFile) -> Iterable[Fault]:
    made = node.func if isinstance(node, ast.Call) else node.exc
    if file.qualified(made).endswith("HTTPException"):
        yield node, "raise an AppError"


@rule(
    "FQ305",
    "a request or response model derived from pydantic.BaseModel itself",
    because="the bases refuse unknown fields, loose scalars and NUL bytes",
    section=Section.DECLARED,
    scope=Scope(
        within=("app/",), named=("schemas.py", "router.py", "routes.py", "public.py"), outside=("app/core/schemas.py",)
    ),
)
def bare_model(owner: ast.ClassDef, file: SourceFile) -> Iterable[Fault]:
    if "pydantic.BaseModel" in map(file.qualified, owner.bases):
        yield owner, f"{owner.name} derives from RequestModel, VersionedPatch or ReadModel of app/core/schemas.py"
