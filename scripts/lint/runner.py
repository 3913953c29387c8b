"""Runs every rule over each file once, and checks that every escape is needed."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.lint import endpoints, persistence, repositories, runtime, testing, transactions, words
from scripts.lint.rule import REFUSALS, Fault, Refusal, Rule, Scope, Section, declare, rule, rules
from scripts.lint.source import Comment, SourceFile

FAMILIES = (transactions, repositories, endpoints, persistence, runtime, words, testing)
_UNUSED_ESCAPE = Refusal(
    "FQ002", "an escape that nothing needs", "the next fault on its line would pass unseen", Section.HABITS
)
_UNPARSED = Refusal("FQ003", "a file that does not parse", "a file that cannot be read was not checked", Section.HABITS)
declare(_UNUSED_ESCAPE)
declare(_UNPARSED)
_ESCAPE = re.compile(r"#\s*lint:\s*allow\s+(?P<codes>FQ\d{3}(?:\s*,\s*FQ\d{3})*)\s+\((?P<reason>.*?\S.*?)\)\s*(?:#|$)")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """`column` counts from 1."""

    path: str
    line: int
    column: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column} {self.code} {self.message}"


@rule(
    "FQ001",
    "an escape without a reason or for an unknown rule",
    because="an exception is granted by name, with its reason beside it",
    section=Section.HABITS,
    scope=Scope(within=("",)),
)
def malformed_escape(module: ast.Module, file: SourceFile) -> Iterable[Fault]:
    for comment in file.comments:
        if not re.match(r"#\s*lint:", comment.text):
            continue
        escape = _ESCAPE.match(comment.text)
        if escape is None:
            yield comment, "write `# lint: allow FQ101 (reason)`"
        else:
            yield from ((comment, f"there is no rule {code}") for code in _codes(escape) if code not in REFUSALS)


def _codes(escape: re.Match[str]) -> list[str]:
    return re.findall(r"FQ\d{3}", escape["codes"])


def lint_text(path: str, text: str) -> list[Finding]:
    """The findings in `text`, as if it were the file `path` (relative to the project's root)."""
    try:
        file = SourceFile(path, text)
    except (SyntaxError, ValueError) as error:
        line = (error.lineno or 1) if isinstance(error, SyntaxError) else 1
        return [Finding(path, line, 1, _UNPARSED.code, f"does not parse: {type(error).__name__}")]
    return sorted(set(_apply_escapes(file, _findings(file))))


def _findings(file: SourceFile) -> Iterator[Finding]:
    interested: defaultdict[type[ast.AST], list[Rule]] = defaultdict(list)
    for candidate in rules():
        if candidate.scope.covers(file.path):
            for kind in candidate.nodes:
                interested[kind].append(candidate)
    for node in file.nodes:
        for candidate in interested.get(type(node), ()):
            for place, message in candidate.check(node, file):
                yield Finding(file.path, place.lineno, place.col_offset + 1, candidate.code, message)


def _apply_escapes(file: SourceFile, findings: Iterable[Finding]) -> Iterator[Finding]:
    granted = _escapes(file)
    used: set[tuple[int, str]] = set()
    for finding in findings:
        if (finding.line, finding.code) in granted:
            used.add((finding.line, finding.code))
        else:
            yield finding
    for key, comment in granted.items():
        if key not in used and key[1] in REFUSALS:
            message = f"nothing here needs the escape from {key[1]}"
            yield Finding(file.path, comment.lineno, comment.col_offset + 1, _UNUSED_ESCAPE.code, message)


def _escapes(file: SourceFile) -> dict[tuple[int, str], Comment]:
    """The escapes by (line, code). A comment that stands alone speaks for the line below it."""
    found = {}
    for comment in file.comments:
        escape = _ESCAPE.match(comment.text)
        for code in _codes(escape) if escape else ():
            found[comment.lineno + comment.alone, code] = comment
    return found


def lint_paths(paths: Iterable[Path], root: Path) -> list[Finding]:
    """The findings in the Python files at and below `paths`, sorted; hidden directories are left out.

    Raises FileNotFoundError for a path that does not exist, ValueError for one that is not below `root`.
    """
    root = root.resolve()
    named = [(root / path).resolve(strict=True) for path in paths]
    outside = [path for path in named if not path.is_relative_to(root)]
    if outside:
        raise ValueError(f"{outside[0]} is not below {root}")
    files = {file.relative_to(root) for path in named for file in _python_files(path)}
    return [
        finding
        for file in sorted(files)
        for finding in lint_text(file.as_posix(), (root / file).read_text(encoding="utf-8", errors="surrogateescape"))
    ]


def _python_files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for child in path.iterdir():
        if child.is_dir() and not child.name.startswith("."):
            yield from _python_files(child)
        elif child.suffix == ".py":
            yield child
