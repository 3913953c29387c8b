"""Unused code is found, what is declared for others is not, and an exception must excuse something."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.lint.dead_code import Search, configured
from tests.support.database import ROOT

MODULE = '''
"""A module."""

LIMIT = 3
USED = 4


class Chart:
    number: str
    version = 1

    def open(self) -> int:
        here = USED
        return 1

    def close(self) -> None:
        self.closed = True


@router.get("/charts")
def list_charts() -> Chart:
    return Chart().open()


def forgotten() -> None:
    return None
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "charts.py").write_text(MODULE.lstrip())
    return tmp_path


def search(*exceptions: str) -> Search:
    return Search(["app"], ["@*.get"], [*exceptions])


def test_unused_definitions_and_constants_are_found(project: Path) -> None:
    assert search().findings(project) == [
        "app/charts.py:3 unused variable LIMIT",
        "app/charts.py:15 unused method close",
        "app/charts.py:24 unused function forgotten",
    ]


def test_an_exception_excuses_one_name_and_is_needed(project: Path) -> None:
    assert search("LIMIT", "close", "forgotten").findings(project) == []
    assert search("LIMIT", "close", "forgotten", "Chart").findings(project) == [
        "pyproject.toml: nothing needs the exception Chart"
    ]


def test_the_service_is_searched_and_the_tests_are_not() -> None:
    assert set(configured(ROOT).paths) == {"app", "bench", "migrations", "scripts"}
