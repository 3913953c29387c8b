"""Rules for time, identity and output, for the handling of failures, and for what may not run on the event loop."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from scripts.lint.rule import Fault, Scope, Section, rule
from scripts.lint.source import SourceFile, last_name, own_nodes, uncalled

_APP = Scope(within=("app/",))
_NOW = frozenset(
    {
        "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
        "time.time", "time.time_ns",
    }
)  # fmt: skip
_MADE_ID = re.compile(r"(?:uuid|uuid_utils(?:\.compat)?)\.uuid[14678]")
_LEVELS = frozenset({"debug", "info", "warning", "error", "critical", "exception", "log"})
_LOGGER = re.compile(r"(?:^|_)log(?:ger|ging)?$")
_BROAD = frozenset({"Exception", "BaseException"})
_DESCRIPTIONS = frozenset({"str", "repr", "type", "isinstance"})
_MAPPED_ERROR = re.compile(r"app\.(?:\w+\.)*errors\.\w+|(?:.*\.)?(?:as_app_error|error_response)")


@rule(
    "FQ501",
    "the present time from anywhere but app/core/clock.py",
    because="one source of time can be set by tests and is always aware and in UTC",
    section=Section.MAP,
    scope=Scope(within=("app/",), outside=("app/core/clock.py",)),
)
def own_clock(node: ast.Attribute | ast.Name, file: SourceFile) -> Iterable[Fault]:
    if file.qualified(node) in _NOW:
        yield node, "use utcnow() or timestamp() of app.core.clock"


@rule(
    "FQ502",
    "an identifier made anywhere but in app/core/ids.py",
    because="keys are time-ordered (UUIDv7) and NEMSIS wants version 4: the choice is made once",
    section=Section.MAP,
    scope=Scope(within=("app/",), outside=("app/core/ids.py",)),
)
def own_identifier(node: ast.Attribute | ast.Name, file: SourceFile) -> Iterable[Fault]:
    if _MADE_ID.fullmatch(file.qualified(node)):
        yield node, "use new_id() or new_random_uuid() of app.core.ids"


@rule(
    "FQ503",
    "print() in the application",
    because="what is printed has no request id and passes no redaction",
    section=Section.FAILURES,
    scope=_APP,
)
def printed(call: ast.Call, file: SourceFile) -> Iterable[Fault]:
    if file.qualified(call.func) in ("print", "pprint.pprint"):
        yield call, "log it through app.core.logging"


@rule(
    "FQ504",
    "the standard library's logging",
    because="structlog's processors add the request's identity and redact by allow-list",
    section=Section.FAILURES,
    scope=Scope(within=("app/",), outside=("app/core/logging.py",)),
)
def foreign_logger(call: ast.Call, file: SourceFile) -> Iterable[Fault]:
    owner, _, name = file.qualified(call.func).rpartition(".")
    if owner == "logging" and (name in _LEVELS or name in ("getLogger", "basicConfig")):
        yield call, "use get_logger() of app.core.logging"


@rule(
    "FQ505",
    "an exception of any kind swallowed",
    because="every failure is raised, logged or answered (directive 1.9)",
    section=Section.FAILURES,
    scope=Scope(within=("app/", "scripts/")),
)
def swallowed(node: ast.ExceptHandler | ast.Call, file: SourceFile) -> Iterable[Fault]:
    if isinstance(node, ast.Call):
        if last_name(node.func) == "suppress" and _BROAD & set(map(file.qualified, node.args)):
            yield node, "suppress() names the exceptions that are expected here"
        return
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    if node.type is not None and not _BROAD & set(map(file.qualified, kinds)):
        return
    if not any(_handles(part, node.name, file) for part in own_nodes(node)):
        yield node, "raise, log, or return a mapped error; or name the exceptions that are expected here"


def _handles(node: ast.AST, caught: str | None, file: SourceFile) -> bool:
    if isinstance(node, ast.Raise):
        return True
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        handed_on = name not in _DESCRIPTIONS and any(last_name(given) == caught for given in node.args)
        return handed_on or name in ("print", "exit") or (name in _LEVELS and _is_logger(node.func))
    if not isinstance(node, ast.Return) or node.value is None:
        return False
    names = [part for part in ast.walk(node.value) if isinstance(part, ast.Name)]
    return any(name.id == caught or _MAPPED_ERROR.fullmatch(file.qualified(name)) for name in names)


def _is_logger(method: ast.expr | None) -> bool:
    """True if it is a logger, as in `_log.error`, `get_logger(…).error` or `_log.bind(…).error`."""
    owner = uncalled(method.value) if isinstance(method, ast.Attribute) else None
    return _LOGGER.search(last_name(owner)) is not None or (last_name(owner) == "bind" and _is_logger(owner))


_BLOCKING = re.compile(
    r"open|input|time\.sleep|requests\.\w+|urllib\.request\.urlopen|os\.system|socket\.create_connection"
    r"|subprocess\.(?:run|call|check_call|check_output|Popen)|boto3\.(?:client|resource|Session)"
    r"|httpx\.(?:get|post|put|patch|delete|head|options|request|stream|Client)"
)
_BLOCKING_METHODS = frozenset(
    {
        "read_text", "read_bytes", "write_text", "write_bytes",
        "put_object", "get_object", "head_object", "delete_object", "delete_objects", "copy_object", "list_objects",
        "list_objects_v2", "upload_file", "upload_fileobj", "download_file", "download_fileobj", "send_email",
        "send_raw_email", "invoke_model",
    }
)  # fmt: skip
_THREADS = frozenset({"to_thread", "run_in_executor"})
_SCHEDULERS = frozenset({"create_task", "ensure_future", "gather", "shield", "wait_for"})


@rule(
    "FQ506",
    "a blocking call on the event loop",
    because="while it waits, every other request of the process waits",
    section=Section.LOOP,
    scope=_APP,
)
def blocking(function: ast.AsyncFunctionDef, file: SourceFile) -> Iterable[Fault]:
    nodes = list(ast.walk(function))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    handed = [given for call in calls if last_name(call.func) in _THREADS for given in call.args]
    elsewhere = {id(given) for given in handed if isinstance(given, ast.Lambda)} | set(map(last_name, handed))
    coroutines = {id(node.value) for node in nodes if isinstance(node, ast.Await)}
    coroutines |= {id(given) for call in calls if last_name(call.func) in _SCHEDULERS for given in call.args}
    for call in _run_on_loop(function, elsewhere):
        name = last_name(call.func)
        method = isinstance(call.func, ast.Attribute) and name in _BLOCKING_METHODS
        if _BLOCKING.fullmatch(file.qualified(call.func)) or (method and id(call) not in coroutines):
            yield call, f"{name}() blocks; hand it to asyncio.to_thread"


def _run_on_loop(scope: ast.AST, elsewhere: set[int | str]) -> Iterator[ast.Call]:
    """The calls of an async function and of the plain functions in it, without those that a thread runs."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.AsyncFunctionDef) or elsewhere & {id(node), getattr(node, "name", "")} - {""}:
            continue
        if isinstance(node, ast.Call):
            yield node
        yield from _run_on_loop(node, elsewhere)


@rule(
    "FQ507",
    "raising NotImplementedError",
    because="what is not built is absent, not stubbed",
    section=Section.FAILURES,
    scope=_APP,
)
def stub(node: ast.Raise, file: SourceFile) -> Iterable[Fault]:
    if file.qualified(uncalled(node.exc)) == "NotImplementedError":
        yield node, "leave out what is not built; abstract methods belong in a Protocol"
