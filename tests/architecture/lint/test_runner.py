"""Escapes, positions, the command line; and the lint's own code keeps the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.lint.__main__ import main
from scripts.lint.rule import REFUSALS
from scripts.lint.runner import lint_paths, lint_text

ROOT = Path(__file__).parents[3]


def _project(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path = path.with_name(path.name + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_findings_are_sorted_and_name_path_line_and_column() -> None:
    findings = lint_text("app/x.py", "'''X.'''\nx = [1,\n     print(2)]\nprint(1)\n")
    assert [str(finding) for finding in findings] == [
        "app/x.py:3:6 FQ503 log it through app.core.logging",
        "app/x.py:4:1 FQ503 log it through app.core.logging",
    ]


def test_an_escape_silences_its_own_rule_on_its_own_line_only() -> None:
    text = "'''X.'''\nprint(1)  # lint: allow FQ503 (the console is the interface)\nprint(2)\nx = uuid.uuid4()\n"
    findings = lint_text("app/x.py", text)
    assert [(finding.line, finding.code) for finding in findings] == [(3, "FQ503"), (4, "FQ502")]


def test_an_escape_without_a_reason_silences_nothing() -> None:
    findings = lint_text("app/x.py", "'''X.'''\nprint(1)  # lint: allow FQ503\n")
    assert [finding.code for finding in findings] == ["FQ503", "FQ001"]


def test_one_escape_may_name_several_rules() -> None:
    text = "'''X.'''\nimport uuid\nprint(uuid.uuid4())  # lint: allow FQ502, FQ503 (a demonstration)\n"
    assert lint_text("app/x.py", text) == []


def test_a_file_that_is_not_utf8_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_bytes(b"x = '\xff'\n")
    assert [finding.code for finding in lint_paths([Path()], tmp_path)] == ["FQ003"]


def test_directories_are_searched_but_hidden_ones_are_not(tmp_path: Path) -> None:
    _project(tmp_path, app__a__b="print(1)", app___venv__c="print(1)", app__d="print(1)")
    (tmp_path / "app" / "_venv").rename(tmp_path / "app" / ".venv")
    (tmp_path / "app" / "notes.txt").write_text("print(1)")
    paths = {finding.path for finding in lint_paths([Path("app"), Path("app/d.py")], tmp_path)}
    assert paths == {"app/a/b.py", "app/d.py"}


def test_exit_status_and_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _project(tmp_path, app__clean="'''Clean.'''\n", app__dirty="'''Dirty.'''\nprint(1)\n")
    assert main(["--root", str(tmp_path), "app/clean.py"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["--root", str(tmp_path), "app"]) == 1
    assert capsys.readouterr().out == "app/dirty.py:2:1 FQ503 log it through app.core.logging\n"


@pytest.mark.parametrize("arguments", [[], ["nowhere"], [".."]])
def test_a_mistaken_call_is_not_a_clean_run(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--root", str(tmp_path), *arguments])
    assert ended.value.code == 2
    assert "error" in capsys.readouterr().err


def test_the_rule_table_has_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rules"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == [f"| {code}" for code in sorted(REFUSALS)]


def test_the_lint_keeps_its_own_rules() -> None:
    assert lint_paths([Path("scripts/lint"), Path("tests/architecture/lint")], ROOT) == []
