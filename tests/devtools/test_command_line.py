"""What the developer types reaches the right place unharmed."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from scripts.devtools import checks, command_line, measurements, operators
from scripts.devtools.checkout import ROOT, Checkout
from scripts.devtools.checks import default_options
from scripts.devtools.console import DevError
from scripts.devtools.database_urls import APP, OWNER, ROLE_OF_VARIABLE
from scripts.devtools.serve import ServeOptions
from scripts.devtools.services import Wishes


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """The verbs record what they are given instead of doing it, and the signal handlers stay pytest's."""
    seen: list[tuple[object, ...]] = []

    def recorder(name: str) -> object:
        def record(*arguments: object, **extra: object) -> int:
            seen.append((name, *arguments, *extra.items()))
            return 0

        return record

    for name in ("test", "check", "demo", "generate_docs", "reformat", "lock"):
        monkeypatch.setattr(checks, name, recorder(name))
    monkeypatch.setattr(measurements, "bench", recorder("bench"))
    monkeypatch.setattr(command_line, "serve", recorder("serve"))
    monkeypatch.setattr(command_line, "end_in_order", lambda: None)
    monkeypatch.setenv("DATA_DIR", "/data")
    return seen


def test_pytest_arguments_pass_in_order(calls: list[tuple[object, ...]]) -> None:
    arguments = ["-k", "a or b", "tests/ems", "-x", "--port", "-p", "no:randomly", "--maxfail=2"]
    assert command_line.main(["test", "--postgres", "system", "--pg-port", "7000", *arguments]) == 0
    assert calls == [("test", Checkout(ROOT, Path("/data")), Wishes("system", 7000), arguments)]


def test_serve_options(calls: list[tuple[object, ...]]) -> None:
    command_line.main(["serve", "--port", "8100", "--host", "::1", "--data-dir", "/else", "--reload"])
    command_line.main(["serve"])
    assert calls == [
        ("serve", Checkout(ROOT, Path("/else")), ServeOptions("::1", 8100, True, Wishes())),
        ("serve", Checkout(ROOT, Path("/data")), ServeOptions("127.0.0.1", None, False, Wishes())),
    ]


@pytest.mark.parametrize("verb", ["check", "bench", "demo", "docs", "format", "lock"])
def test_every_other_verb_is_there(calls: list[tuple[object, ...]], verb: str) -> None:
    assert command_line.main([verb]) == 0
    assert len(calls) == 1


def test_the_demo_finds_the_server_that_runs_here(calls: list[tuple[object, ...]], tmp_path: Path) -> None:
    for record, url in ((None, "http://127.0.0.1:8000"), ('{"url": "http://127.0.0.1:8123"}', "http://127.0.0.1:8123")):
        if record is not None:
            (tmp_path / "serve.json").write_text(record)
        assert command_line.main(["demo", "--data-dir", str(tmp_path)]) == 0
        assert calls[-1][2] == url


def test_an_operators_script_finds_the_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ran: list[tuple[list[str], dict[str, str]]] = []

    def run(command: list[str], _: Path, environment: dict[str, str]) -> int:
        ran.append((command, environment))
        return 0

    monkeypatch.setattr(operators, "run_in_terminal", run)
    monkeypatch.setattr(command_line, "end_in_order", lambda: None)
    given = ["operator", "--data-dir", str(tmp_path), "suspend_tenant", "suspend", "a-slug", "unpaid"]
    assert command_line.main(given) == 1 and ran == [], "no database was started here"
    (tmp_path / "postgres.json").write_text('{"port": 5433}')
    passwords = {role: f"of {role}" for role in ROLE_OF_VARIABLE.values()}
    (tmp_path / "database-credentials.json").write_text(json.dumps(passwords))
    assert command_line.main(given) == 0
    [(command, environment)] = ran
    assert environment["ENVIRONMENT"] == os.environ.get("ENVIRONMENT", "development")
    assert command[1:] == ["-m", "scripts.suspend_tenant", "suspend", "a-slug", "unpaid"]
    assert environment["DATABASE_URL"] == f"postgresql://{APP}:of%20{APP}@127.0.0.1:5433/fusionems"
    assert environment["MIGRATION_DATABASE_URL"].startswith(f"postgresql://{OWNER}:")


def test_deep_runs_are_pytest_runs(calls: list[tuple[object, ...]]) -> None:
    command_line.main(["fuzz", "-x"])
    command_line.main(["test-long"])
    assert calls[0][3:] == (["tests/fuzz", "-m", "", "-x"], ("FUZZ_EXAMPLES", "500"))
    assert calls[1][3:] == (["-m", "long"],)


@pytest.mark.parametrize(
    "arguments",
    [["serve", "--prot", "8"], ["check", "x"], ["serve", "--port", "0"], ["serve", "--port", "x"], ["x"], []],
)
def test_what_is_not_understood_is_refused(calls: list[tuple[object, ...]], arguments: Sequence[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command_line.main(arguments)
    assert calls == []


def test_a_failure_prints_what_to_do_next(
    calls: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> int:
        raise DevError("It is broken.", "Mend it.")

    monkeypatch.setattr(command_line, "serve", fail)
    assert command_line.main(["serve"]) == 1
    assert capsys.readouterr().err == "\nIt is broken.\n\nMend it.\n"


@pytest.mark.parametrize(
    ("arguments", "added"),
    [
        ([], ["-n", "2", "-m", "not long"]),
        (["-k", "x"], ["-n", "2", "-m", "not long"]),
        (["-n", "0"], ["-m", "not long"]),
        (["-n4", "-m", "long"], []),
        (["--pdb"], ["-m", "not long"]),
        (["-p", "no:xdist", "-m", ""], []),
        (["--maxfail=1"], ["-n", "2", "-m", "not long"]),
    ],
)
def test_default_pytest_options(arguments: list[str], added: list[str]) -> None:
    assert default_options(arguments) == added


def test_only_the_standard_library_is_needed() -> None:
    """The entry runs on a Python with nothing installed: -S -I hides site-packages."""
    done = subprocess.run(
        [sys.executable, "-S", "-I", ROOT / "scripts" / "dev.py", "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert all(verb in done.stdout for verb in command_line.VERBS)


def test_every_verb_has_its_make_target() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    targets = {name for line in lines if line.startswith(".PHONY:") for name in line.split()[1:]}
    assert targets == (set(command_line.VERBS) - {"serve"}) | {"run"}
