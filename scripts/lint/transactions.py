"""Rules for who may end a transaction, and who may move a lifecycle."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from scripts.lint.rule import Fault, Scope, Section, rule
from scripts.lint.source import SourceFile, argument, last_name

_STATEMENTS = frozenset({"execute", "exec_driver_sql", "text"})
_CONTROL = re.compile(
    r"(?:^|;)\s*(?:begin|start\s+transaction|commit|end|rollback|abort|savepoint|release)\b(?!\s*\()", re.IGNORECASE
)
_ENTITY = re.compile(r"app\.(?:\w+\.)*models\.[A-Z]\w*")
_OUTSIDE_LIFECYCLE = Scope(within=("app/",), outside=("app/core/lifecycle.py",))


@rule(
    "FQ101",
    "a transaction ended outside the unit of work",
    because="a second committer splits a request's transaction: its audit row or its event may be lost",
    section=Section.COMMITTER,
    scope=Scope(within=("app/", "scripts/"), outside=("app/core/db/uow.py",)),
)
def second_committer(call: ast.Call, file: SourceFile) -> Iterable[Fault]:
    name = last_name(call.func)
    if name in ("commit", "rollback") and isinstance(call.func, ast.Attribute):
        yield call, f".{name}() belongs to app/core/db/uow.py"
    first = argument(call, 0, "statement", "query", "text")
    text = first.value if isinstance(first, ast.Constant) else None
    if name in _STATEMENTS and isinstance(text, str) and _CONTROL.search(text):
        yield call, "transaction control as SQL text belongs to app/core/db/uow.py"


@rule(
    "FQ102",
    "a transaction opened as a block outside the unit of work",
    because="such a block commits when it ends",
    section=Section.COMMITTER,
    scope=Scope(within=("app/",), outside=("app/core/db/uow.py",)),
)
def second_transaction(call: ast.Call, file: SourceFile) -> Iterable[Fault]:
    name = last_name(call.func)
    if name in ("begin", "begin_nested", "transaction") and isinstance(call.func, ast.Attribute):
        yield call, f".{name}() commits at the end of its block; the unit of work opens transactions"


@rule(
    "FQ103",
    "writing a status outside Lifecycle.fire",
    because="a transition that fire did not make has no guard, no permission, no audit event and no topic",
    section=Section.DECLARED,
    scope=_OUTSIDE_LIFECYCLE,
)
def status_written(node: ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Call, file: SourceFile) -> Iterable[Fault]:
    message = "a status is written by Lifecycle.fire only"
    if isinstance(node, ast.Call):
        if _sets_status(node):
            yield node, message
        return
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    for target in targets:
        for part in ast.walk(target):
            if _is_status(part):
                yield target, message


def _is_status(target: ast.AST) -> bool:
    if isinstance(target, ast.Attribute):
        return target.attr == "status" and isinstance(target.ctx, ast.Store)
    return (
        isinstance(target, ast.Subscript)
        and isinstance(target.value, ast.Attribute)
        and target.value.attr == "__dict__"
        and _is_word(target.slice)
    )


def _is_word(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value == "status"


def _sets_status(call: ast.Call) -> bool:
    """True if it is setattr(x, "status", …), object.__setattr__(x, "status", …) or update(…).values(status=…)."""
    name = last_name(call.func)
    if name in ("setattr", "__setattr__"):
        return any(map(_is_word, call.args[:2]))
    if name != "values" or not isinstance(call.func, ast.Attribute):
        return False
    keys = [key for given in call.args if isinstance(given, ast.Dict) for key in given.keys]
    return argument(call, None, "status") is not None or any(map(_is_word, keys))


@rule(
    "FQ104",
    "constructing an entity of models.py with a status",
    because="an entity begins in its lifecycle's initial state; any other state is reached by fire",
    section=Section.DECLARED,
    scope=_OUTSIDE_LIFECYCLE,
)
def status_constructed(call: ast.Call, file: SourceFile) -> Iterable[Fault]:
    if argument(call, None, "status") is not None and _ENTITY.fullmatch(file.qualified(call.func)):
        yield call, f"{last_name(call.func)} begins in its initial state; move it by Lifecycle.fire"


@rule(
    "FQ105",
    "a status among the fields of a create or patch model",
    because="services set what a client sent field by field, and would write the status too",
    section=Section.DECLARED,
    scope=_OUTSIDE_LIFECYCLE,
)
def status_requested(owner: ast.ClassDef, file: SourceFile) -> Iterable[Fault]:
    if not owner.name.endswith(("Create", "Patch")):
        return
    for field in owner.body:
        if isinstance(field, ast.AnnAssign) and last_name(field.target) == "status":
            yield field, f"{owner.name} takes no status; clients name an action"
