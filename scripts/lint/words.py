"""Rules for names, docstrings and comments."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from scripts.lint.rule import Fault, Scope, Section, rule
from scripts.lint.source import Comment, SourceFile

_OURS = ("app/", "bench/", "migrations/", "scripts/", "tests/")
_SAYS_NOTHING = re.compile(r"(?:\w+_)?(?:utils?|helpers?)|common|managers?|data|info|base2")
_BANNER = re.compile(r"([=#-])\1{4,}")
_TOP = Comment(1, 0, "", alone=False)
_UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b")


@rule(
    "FQ601",
    "a module or package whose name says nothing",
    because="utils, helpers, common, manager, data, info hold anything, so nobody finds anything in them",
    section=Section.WORDS,
    scope=Scope(within=_OURS, outside=("app/realtime/manager.py",)),
)
def empty_name(module: ast.Module, file: SourceFile) -> Iterable[Fault]:
    for part in file.path.removesuffix(".py").split("/")[1:]:
        if _SAYS_NOTHING.fullmatch(part):
            yield _TOP, f"{part!r} says nothing; name the module after what it holds"


@rule(
    "FQ602",
    "a module without a docstring",
    because="each module says in one to three lines why it exists",
    section=Section.WORDS,
    scope=Scope(within=("app/", "scripts/")),
)
def unexplained_module(module: ast.Module, file: SourceFile) -> Iterable[Fault]:
    if module.body and not (ast.get_docstring(module) or "").strip():
        yield _TOP, "say in one to three lines why the module exists"


@rule(
    "FQ603",
    "a banner comment",
    because="a file that needs dividing lines wants to be two files",
    section=Section.WORDS,
    scope=Scope(within=_OURS),
)
def banner(module: ast.Module, file: SourceFile) -> Iterable[Fault]:
    for comment in file.comments:
        if _BANNER.search(comment.text):
            yield comment, "no dividing lines; split the file instead"


@rule(
    "FQ604",
    "unfinished work noted in the code",
    because="a note in the code is never done: do it, or open an issue",
    section=Section.WORDS,
    scope=Scope(within=_OURS),
)
def unfinished(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, file: SourceFile
) -> Iterable[Fault]:
    for comment in file.comments if isinstance(node, ast.Module) else ():
        if _UNFINISHED.search(comment.text):
            yield comment, "do it now, or open an issue"
    docstring = node.body[0] if node.body else None
    if isinstance(docstring, ast.Expr) and _UNFINISHED.search(ast.get_docstring(node) or ""):
        yield docstring, "do it now, or open an issue"
