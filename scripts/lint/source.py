"""One parsed file: its nodes, what its names were imported as, and its comments. Parsed and walked once."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

_REMARKABLE = re.compile(r"#.*(?:lint:|TODO|FIXME|XXX|={5}|-{5})|#{5}")
_NEW_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Comment:
    """`alone`: nothing else stands on its line."""

    lineno: int
    col_offset: int
    text: str
    alone: bool


class SourceFile:
    """`path` is relative to the project's root, with slashes. Raises SyntaxError."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.tree = ast.parse(text)
        self.nodes = list(ast.walk(self.tree))
        self._imported: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._imported.update(self._bindings(node))

    @property
    def name(self) -> str:
        """The file's own name, as `router.py`."""
        return self.path.rpartition("/")[2]

    def _bindings(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
        if isinstance(node, ast.ImportFrom):
            origin = self.origin(node)
            for alias in node.names:
                yield alias.asname or alias.name, f"{origin}.{alias.name}"
        else:
            for alias in node.names:
                root = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (root, root)

    def origin(self, node: ast.ImportFrom) -> str:
        """The absolute module that `node` imports from."""
        if not node.level:
            return node.module or ""
        package = self.path.removesuffix(".py").split("/")[: -node.level]
        return ".".join([*package, *filter(None, [node.module])])

    def qualified(self, node: ast.expr | None) -> str:
        """The dotted name that an expression stands for, imports resolved; "" for anything but a dotted name."""
        if isinstance(node, ast.Name):
            return self._imported.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self.qualified(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        return ""

    @cached_property
    def comments(self) -> tuple[Comment, ...]:
        """Comments of files that have one worth looking at; tokenizing costs as much as parsing."""
        if not _REMARKABLE.search(self.text):
            return ()
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        lines = self.text.split("\n")
        return tuple(
            Comment(line, column, token.string, alone=not lines[line - 1][:column].strip())
            for token in tokens
            if token.type == tokenize.COMMENT
            for line, column in [token.start]
        )


def last_name(node: ast.expr | None) -> str:
    """`fire` of `incident_lifecycle.fire`, `self.x().fire` and `fire`; "" for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def uncalled(node: ast.expr | None) -> ast.expr | None:
    """`X` of `X(…)` and of `X`, which is how exceptions are raised and decorators written."""
    return node.func if isinstance(node, ast.Call) else node


def is_text(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def argument(call: ast.Call, position: int | None, *names: str) -> ast.expr | None:
    """The argument at `position` or by one of `names`; None where it is not given."""
    if position is not None and position < len(call.args):
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg in names), None)


def parameters(function: Function) -> list[ast.arg]:
    """All named parameters, `self` included."""
    given = function.args
    return [*given.posonlyargs, *given.args, *given.kwonlyargs]


def own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes below `scope` that do not belong to a function or class of its own inside it."""
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _NEW_SCOPE):
            waiting.extend(ast.iter_child_nodes(node))
