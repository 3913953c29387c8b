"""Rules for tests: they prove something, and without clocks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Set

from scripts.lint.rule import Fault, Scope, Section, rule
from scripts.lint.source import SourceFile, argument, last_name, uncalled

_TESTS = Scope(within=("tests/",))
_CHECKS = re.compile(r"_?(?:assert|expect|check)(?:_\w+)?")
# Calls of pytest, hypothesis and schemathesis that fail a test by themselves.
_ASSERTING = frozenset(
    {"raises", "warns", "fail", "call_and_validate", "validate_response", "run_state_machine_as_test"}
)
_CLOCK = re.compile(r"time\.(?:time|monotonic|perf_counter|process_time)(?:_ns)?")


@rule(
    "FQ701",
    "an assertion that cannot fail",
    because="it proves nothing and reads as if it did",
    section=Section.TESTS,
    scope=_TESTS,
)
def empty_assertion(node: ast.Assert, file: SourceFile) -> Iterable[Fault]:
    constant = isinstance(node.test, ast.Constant) and bool(node.test.value)
    if constant or _compares_with_itself(node.test):
        yield node, "this cannot fail; assert what the test is about"


def _compares_with_itself(test: ast.expr) -> bool:
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq | ast.Is):
        return False
    left, right = test.left, test.comparators[0]
    return isinstance(left, ast.Name) and isinstance(right, ast.Name) and left.id == right.id


@rule(
    "FQ702",
    "a test that asserts nothing",
    because="that nothing was raised is no evidence of what happened",
    section=Section.TESTS,
    scope=_TESTS,
)
def nothing_asserted(function: ast.FunctionDef | ast.AsyncFunctionDef, file: SourceFile) -> Iterable[Fault]:
    if not function.name.startswith("test") or not file.name.startswith("test_"):
        return
    if any(last_name(uncalled(decorator)) == "fixture" for decorator in function.decorator_list):
        return
    if not any(_asserts(node) for node in ast.walk(function)):
        yield function, f"{function.name} asserts nothing; a call or fixture named assert_*, expect_* or check_* counts"


def _asserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        return name in _ASSERTING or _CHECKS.fullmatch(name) is not None
    return isinstance(node, ast.Assert) or (isinstance(node, ast.arg) and _CHECKS.fullmatch(node.arg) is not None)


@rule(
    "FQ703",
    "time.sleep in a test",
    because="it is too short on a busy machine and too long on every other: wait for the event itself",
    section=Section.TESTS,
    scope=_TESTS,
)
def slept(call: ast.Call, file: SourceFile) -> Iterable[Fault]:
    if file.qualified(call.func) == "time.sleep":
        yield call, "wait for the event itself"


@rule(
    "FQ704",
    "a duration asserted",
    because="it depends on the machine, not on the code",
    section=Section.TESTS,
    scope=_TESTS,
)
def timed(function: ast.FunctionDef | ast.AsyncFunctionDef, file: SourceFile) -> Iterable[Fault]:
    nodes = list(ast.walk(function))
    assigned = {
        last_name(target): node.value for node in nodes if isinstance(node, ast.Assign) for target in node.targets
    }
    instants = {name for name, value in assigned.items() if _is_instant(value, frozenset(), file)}
    durations = {name for name, value in assigned.items() if _is_duration(value, instants, file)}
    for node in nodes:
        if isinstance(node, ast.Assert) and any(
            last_name(part) in durations or _is_duration(part, instants, file)
            for part in ast.walk(node.test)
            if isinstance(part, ast.expr)
        ):
            yield node, "no test asserts a duration"


def _is_duration(node: ast.expr, instants: Set[str], file: SourceFile) -> bool:
    """True if it is the difference of two readings of a clock.

    A clock less a number is an instant: tests make stale timestamps that way.
    """
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Sub):
        return False
    return _is_instant(node.left, instants, file) and _is_instant(node.right, instants, file)


def _is_instant(node: ast.expr, instants: Set[str], file: SourceFile) -> bool:
    reads = isinstance(node, ast.Call) and _CLOCK.fullmatch(file.qualified(node.func)) is not None
    return reads or (isinstance(node, ast.Name) and node.id in instants)


@rule(
    "FQ705",
    "a test skipped without a reason",
    because="a skip hides a failure unless it says why",
    section=Section.TESTS,
    scope=_TESTS,
)
def skipped_silently(module: ast.Module, file: SourceFile) -> Iterable[Fault]:
    calls = {id(node.func): node for node in file.nodes if isinstance(node, ast.Call)}
    for node in file.nodes:
        if not isinstance(node, ast.Attribute):
            continue
        name = file.qualified(node)
        call = calls.get(id(node))
        if name in ("pytest.mark.skip", "pytest.mark.xfail", "pytest.mark.skipif"):
            position = 0 if name == "pytest.mark.skip" else None
            if call is None or not _says_why(argument(call, position, "reason")):
                yield node, f"{name} gives no reason"
        elif name in ("pytest.skip", "pytest.xfail") and call and not _says_why(argument(call, 0, "reason")):
            yield node, f"{name} gives no reason"


def _says_why(reason: ast.expr | None) -> bool:
    if isinstance(reason, ast.Constant):
        return isinstance(reason.value, str) and bool(reason.value.strip())
    return reason is not None
