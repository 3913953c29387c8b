"""What a rule is: a code, what it refuses and why, where it applies, and a check over one kind of node."""

from __future__ import annotations

import ast
import inspect
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from scripts.lint.source import SourceFile


class Place(Protocol):
    """Nodes of `ast` that have a position, and comments."""

    @property
    def lineno(self) -> int: ...

    @property
    def col_offset(self) -> int: ...


Fault = tuple[Place, str]
Check = Callable[[Any, SourceFile], Iterable[Fault]]
C = TypeVar("C", bound=Check)


class Section(StrEnum):
    """The part of the house style that a rule enforces."""

    MAP = "The map"
    LAYERS = "Strict layering"
    COMMITTER = "One request, one transaction, one committer"
    MUTATION = "A mutation is one block"
    TENANCY = "Tenant scope: five belts"
    DECLARED = "Versions, lifecycles, errors: each declared once"
    FAILURES = "No silent failures"
    LOOP = "No blocking calls on the event loop"
    TESTS = "Tests"
    WORDS = "Names and words"
    HABITS = "Habits"


@dataclass(frozen=True, slots=True)
class Scope:
    """Paths that begin with one of `within` (and are files called one of `named`), but not with one of `outside`."""

    within: tuple[str, ...]
    named: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()

    def covers(self, path: str) -> bool:
        return (
            path.startswith(self.within)
            and (not self.named or path.rpartition("/")[2] in self.named)
            and not path.startswith(self.outside)
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """What findings with this code refuse, and why."""

    code: str
    refuses: str
    because: str
    section: Section


@dataclass(frozen=True, slots=True)
class Rule(Refusal):
    """A refusal that one check over one file finds. `nodes`: the node types that `check` is called with."""

    scope: Scope
    nodes: tuple[type[ast.AST], ...]
    check: Check


REFUSALS: dict[str, Refusal] = {}
"""Every code that a finding may have: those of the rules, and those that the runner itself finds."""


def declare(refusal: Refusal) -> None:
    """Raises ValueError for a code that is taken."""
    if refusal.code in REFUSALS:
        raise ValueError(f"{refusal.code} is declared twice")
    REFUSALS[refusal.code] = refusal


def rules() -> Iterable[Rule]:
    return (refusal for refusal in REFUSALS.values() if isinstance(refusal, Rule))


def rule(code: str, refuses: str, *, because: str, section: Section, scope: Scope) -> Callable[[C], C]:
    """Declares the decorated check as a rule for the node types that its first parameter is annotated with.

    Raises ValueError for a code that is taken.
    """

    def declared(check: C) -> C:
        first = next(iter(inspect.signature(check).parameters))
        annotation = typing.get_type_hints(check)[first]
        nodes = typing.get_args(annotation) or (annotation,)
        declare(Rule(code, refuses, because, section, scope, nodes, check))
        return check

    return declared
