"""`bench` runs the measurement that is named, and knows every one that there is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.devtools import measurements
from scripts.devtools.checkout import ROOT, Checkout
from scripts.devtools.console import DevError
from scripts.devtools.services import Services, Wishes


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would run, each on servers of its own that keep fsync on."""
    commands: list[list[str]] = []

    @contextlib.contextmanager
    def throwaway(checkout: Checkout, wishes: Wishes, *, durable: bool) -> Iterator[Services]:
        assert durable and wishes == Wishes("system")
        yield Services({"DATABASE_URL": f"number {len(commands) + 1}"})

    def run(command: list[str | Path], cwd: Path, environment: dict[str, str]) -> int:
        assert cwd == ROOT and environment == {"DATABASE_URL": f"number {len(commands) + 1}"}
        commands.append([str(part) for part in command[1:]])
        return 7

    monkeypatch.setattr(measurements, "prepare", lambda *_: None)
    monkeypatch.setattr(measurements, "throwaway", throwaway)
    monkeypatch.setattr(measurements, "run_in_terminal", run)
    return commands


def test_the_named_measurement_runs_and_autosave_when_none_is(ran: list[list[str]], tmp_path: Path) -> None:
    checkout = Checkout(ROOT, tmp_path / "data")
    for given in ([], ["--clients", "2"], ["coding"], ["routing", "--rounds", "3"]):
        assert measurements.bench(checkout, Wishes("system"), given) == 7
    assert ran == [
        ["-m", "bench.autosave"],
        ["-m", "bench.autosave", "--clients", "2"],
        ["-m", "bench.coding"],
        ["-m", "bench.routing", "--rounds", "3"],
    ]


def test_an_unknown_name_is_refused_with_those_that_there_are(ran: list[list[str]], tmp_path: Path) -> None:
    with pytest.raises(DevError, match="called server") as refused:
        measurements.bench(Checkout(ROOT, tmp_path / "data"), Wishes("system"), ["server"])
    assert all(name in refused.value.advice for name in measurements.MEASUREMENTS)
    assert ran == [] and not (tmp_path / "data").exists()


def test_the_list_says_what_each_measures(
    ran: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert measurements.bench(Checkout(ROOT, tmp_path / "data"), Wishes("system"), ["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(measurements.MEASUREMENTS)
    assert all(len(line.split()) > 5 for line in lines)
    assert ran == [] and not (tmp_path / "data").exists()


def test_every_measurement_has_a_name() -> None:
    modules = {path.stem for path in (ROOT / "bench").glob("*.py") if "def main(arguments" in path.read_text()}
    assert modules == set(measurements.MEASUREMENTS)
