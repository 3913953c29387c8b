"""A process may open as many files as its connections need, or it does not start."""

from __future__ import annotations

import resource

import pytest

from app.server import OTHER_FILES, allow_files

INFINITE = resource.RLIM_INFINITY


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The limits that the process had, one after the other."""
    held: list[tuple[int, int]] = []
    monkeypatch.setattr("app.server.resource.getrlimit", lambda _: held[-1])
    monkeypatch.setattr("app.server.resource.setrlimit", lambda _, limit: held.append(limit))
    return held


@pytest.mark.parametrize("hard", [4096, INFINITE])
def test_the_limit_is_raised_to_what_is_needed(limits: list[tuple[int, int]], hard: int) -> None:
    limits.append((256, hard))
    allow_files(1000)
    assert limits == [(256, hard), (1000 + OTHER_FILES, hard)]


@pytest.mark.parametrize("soft", [4096, INFINITE])
def test_a_limit_that_is_high_enough_stays(limits: list[tuple[int, int]], soft: int) -> None:
    limits.append((soft, INFINITE))
    allow_files(1000)
    assert limits == [(soft, INFINITE)]


def test_what_the_system_does_not_allow_is_said(limits: list[tuple[int, int]]) -> None:
    limits.append((256, 1024))
    with pytest.raises(SystemExit, match="MAX_CONNECTIONS=1000 needs 1256 open files, and the system allows 1024"):
        allow_files(1000)
    assert limits == [(256, 1024)]
