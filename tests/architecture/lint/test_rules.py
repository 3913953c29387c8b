"""Every rule refuses what it should, where it should, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.lint.rule import REFUSALS, Scope, Section, rule, rules
from scripts.lint.runner import lint_text
from scripts.lint.source import SourceFile
from tests.architecture.lint.snippets import ACCEPTED, REFUSED


def _cases(cases: list[tuple[str, str, str]]) -> list[Any]:
    return [pytest.param(*case, id=f"{case[0]}-{number}") for number, case in enumerate(cases)]


@pytest.mark.parametrize(("code", "path", "text"), _cases(REFUSED))
def test_refused(code: str, path: str, text: str) -> None:
    marked = [number for number, line in enumerate(text.split("\n"), 1) if line.endswith("# here")]
    assert [finding.line for finding in lint_text(path, text) if finding.code == code] == marked
    assert marked


@pytest.mark.parametrize(("code", "path", "text"), _cases(ACCEPTED))
def test_accepted(code: str, path: str, text: str) -> None:
    assert [str(finding) for finding in lint_text(path, text) if finding.code in (code, "FQ003")] == []


def test_every_rule_has_snippets_of_both_kinds() -> None:
    assert {code for code, _, _ in REFUSED} == {code for code, _, _ in ACCEPTED} == set(REFUSALS)


def test_a_code_is_declared_once() -> None:
    again = rule("FQ101", "", because="", section=Section.HABITS, scope=Scope(within=("",)))
    [check] = [declared.check for declared in rules() if declared.code == "FQ101"]
    with pytest.raises(ValueError, match="FQ101"):
        again(check)


def test_relative_imports_are_resolved() -> None:
    file = SourceFile(
        "app/ems/incidents/service.py", "from ..chart import gate\nfrom .models import Incident as I\ngate\nI"
    )
    names = [file.qualified(statement.value) for statement in file.tree.body[2:]]  # type: ignore[attr-defined]
    assert names == ["app.ems.chart.gate", "app.ems.incidents.models.Incident"]
