"""A Python that cannot run the project is told so, by a file that this Python can still read."""

import ast

import pytest

from scripts.dev import version_advice, version_problem
from scripts.devtools.checkout import ROOT


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_supported_versions_pass(minor: int) -> None:
    assert version_problem(3, minor) == ""


@pytest.mark.parametrize(("major", "minor"), [(2, 7), (3, 6), (3, 10), (3, 14), (4, 0)])
def test_other_versions_are_refused_by_name(major: int, minor: int) -> None:
    assert f"Python {major}.{minor}" in version_problem(major, minor)
    assert "3.11" in version_problem(major, minor)


def test_old_pythons_can_parse_the_entry() -> None:
    assert ast.parse((ROOT / "scripts" / "dev.py").read_text(), feature_version=(3, 7)).body


def test_advice_names_an_interpreter_that_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/python3.12" if name == "python3.12" else None)
    assert version_advice("serve --port 9").startswith("Run: python3.12 scripts/dev.py serve --port 9")
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert "Install" in version_advice("serve")
