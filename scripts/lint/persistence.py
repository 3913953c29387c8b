"""Rules for how columns are declared and SQL is written."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from scripts.lint.rule import Fault, Scope, Section, rule
from scripts.lint.source import SourceFile, argument, is_text, last_name, own_nodes

_TEXT = frozenset({"DDL", "literal_column", "text"})
_EXECUTORS = re.compile(
    r"exec_driver_sql|execute(?:many)?|prepare|scalars?|stream|fetch(?:_?(?:row|val|value|many|one|all))?"
)
_FORMATTERS = frozenset({"format", "format_map", "replace"})

Assigned = Mapping[str, list[ast.expr]]


@rule(
    "FQ401",
    "a column declared without its class",
    because="audit diffs, logs and events decide by the class of a column what they may show",
    section=Section.MUTATION,
    scope=Scope(within=("app/",), outside=("app/core/db/",)),
)
def unclassified_column(call: ast.Call, file: SourceFile) -> Iterable[Fault]:
    if file.qualified(call.func) in ("sqlalchemy.orm.mapped_column", "sqlalchemy.Column"):
        yield call, "declare the column with plain(), phi() or internal()"


@rule(
    "FQ402",
    "a native database enum",
    because="enum equality is not leakproof: under row-level security it cannot use an index",
    section=Section.TENANCY,
    scope=Scope(within=("app/", "migrations/")),
)
def native_enum(call: ast.Call, file: SourceFile) -> Iterable[Fault]:
    name = file.qualified(call.func)
    if name.startswith("sqlalchemy.") and name.endswith((".Enum", ".ENUM")):
        yield call, "use text with a CHECK (EnumText)"


@rule(
    "FQ403",
    "an ORM relationship",
    because="it reaches across aggregates and loads behind the repository's back; foreign keys are enough",
    section=Section.MAP,
    scope=Scope(within=("app/",)),
)
def orm_relationship(call: ast.Call, file: SourceFile) -> Iterable[Fault]:
    if file.qualified(call.func) in ("sqlalchemy.orm.relationship", "sqlalchemy.orm.backref"):
        yield call, "query the other aggregate through its repository"


@rule(
    "FQ404",
    "SQL text put together from parts",
    because="row-level security is no defence against injection: an injected statement can set the tenant itself",
    section=Section.TENANCY,
    scope=Scope(within=("app/",)),
)
def assembled_sql(
    scope: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef, file: SourceFile
) -> Iterable[Fault]:
    assigned = {**_module_level(file), **_assigned(scope)}
    for call in own_nodes(scope):
        if not isinstance(call, ast.Call):
            continue
        name = last_name(call.func)
        sent = (isinstance(call.func, ast.Attribute) and _EXECUTORS.fullmatch(name)) or (
            name in _TEXT and file.qualified(call.func).startswith("sqlalchemy.")
        )
        statement = argument(call, 0, "statement", "query", "sql", "text") if sent else None
        if statement is not None and _is_assembled(statement, assigned):
            yield call, f"the text given to {name}() is constant; bind values as parameters"


@lru_cache(maxsize=1)
def _module_level(file: SourceFile) -> Assigned:
    return _assigned(file.tree)


def _assigned(scope: ast.AST) -> Assigned:
    """The values that each name of a scope is set to. `name += x` counts as the sum of a text and x."""
    found: defaultdict[str, list[ast.expr]] = defaultdict(list)
    for node in own_nodes(scope):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        elif isinstance(node, ast.AugAssign):
            targets, value = [node.target], ast.BinOp(ast.Constant(""), node.op, node.value)
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name):
                found[target.id].append(value)
    return found


def _is_assembled(node: ast.expr, assigned: Assigned) -> bool:
    if isinstance(node, ast.Name):
        others = {name: values for name, values in assigned.items() if name != node.id}
        return any(_is_assembled(value, others) for value in assigned.get(node.id, ()))
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return not all(map(is_text, _operands(node)))
    if isinstance(node, ast.IfExp):
        return _is_assembled(node.body, assigned) or _is_assembled(node.orelse, assigned)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in _FORMATTERS or (node.func.attr == "join" and is_text(node.func.value))
    return False


def _operands(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp):
        yield from _operands(node.left)
        yield from _operands(node.right)
    else:
        yield node
