"""`make test`, `make check` and their kin: tools that run against throwaway servers and leave nothing behind."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.devtools.checkout import Checkout, child_environment
from scripts.devtools.console import DevError, say, tail
from scripts.devtools.interrupts import Interrupted
from scripts.devtools.packages import Profile, prepare, uv
from scripts.devtools.services import Wishes, throwaway

WORKERS = 2
FUZZ_EXAMPLES = "500"
LOCKED = {
    "requirements.txt": ["pyproject.toml"],
    "requirements-local.txt": ["pyproject.toml", "--group", "local"],
    "requirements-dev.txt": ["pyproject.toml", "--group", "dev"],
    "clients/requirements.txt": ["clients/requirements.in"],
    "scripts/devtools/requirements-uv.txt": ["scripts/devtools/uv.in"],
}
COMPILE = (
    "pip compile -q --universal --python-version 3.11 --generate-hashes"
    " --no-header --no-emit-index-url --no-annotate"  # an index address is one developer's own business
)
LINTED = ["app", "migrations", "scripts", "tests", "bench"]


def test(checkout: Checkout, wishes: Wishes, arguments: Sequence[str], **extra: str) -> int:
    """Run pytest against a fresh cluster. Its exit code is ours."""
    prepare(checkout, Profile.DEV)
    checkout.make_directories()
    with throwaway(checkout, wishes) as services:
        command: list[str | Path] = [checkout.python, "-m", "pytest", *default_options(arguments), *arguments]
        return run_in_terminal(command, checkout.root, services.environment | extra)


def default_options(arguments: Sequence[str]) -> list[str]:
    """Two workers, and not the long runs, unless the developer says otherwise."""
    one_process = {"--pdb", "--trace", "--collect-only", "--co"}
    says_workers = any(a.startswith(("-n", "--numprocesses")) or a in {"no:xdist", "-pno:xdist"} for a in arguments)
    options = [] if says_workers or one_process & set(arguments) else ["-n", str(WORKERS)]
    return options if any(a.startswith("-m") for a in arguments) else [*options, "-m", "not long"]


def fuzz(checkout: Checkout, wishes: Wishes, arguments: Sequence[str]) -> int:
    """Fuzz the API deeply."""
    examples = os.environ.get("FUZZ_EXAMPLES", FUZZ_EXAMPLES)
    return test(checkout, wishes, ["tests/fuzz", "-m", "", *arguments], FUZZ_EXAMPLES=examples)


def long_tests(checkout: Checkout, wishes: Wishes, arguments: Sequence[str]) -> int:
    """Run the property and fuzz tests that are too long for every change."""
    return test(checkout, wishes, ["-m", "long", *arguments])


def check(checkout: Checkout, wishes: Wishes) -> int:
    """Run every check, in order. All failures are shown, and the exit code is 1 when there was one."""
    prepare(checkout, Profile.DEV)
    checkout.make_directories()
    python = str(checkout.python)
    commands = {
        "format": [python, "-m", "ruff", "format", "--check", "."],
        "lint": [python, "-m", "ruff", "check", "."],
        "types": [python, "-m", "mypy"],
        "imports": [str(checkout.tool("lint-imports")), "--no-logo"],
        "house rules": [python, "-m", "scripts.lint", *LINTED],
        "dead code": [python, "-m", "scripts.lint.dead_code"],
        "migrations": [python, "-m", "scripts.check_migrations"],
        "documents": [python, "-m", "scripts.generate_docs", "--check"],
    }
    with throwaway(checkout, wishes) as services:
        failed = [
            name for name, command in commands.items() if not passes(name, command, checkout, services.environment)
        ]
    say(f"check: {len(commands) - len(failed)} passed, {len(failed)} failed{': ' if failed else ''}{', '.join(failed)}")
    return 1 if failed else 0


def passes(name: str, command: Sequence[str], checkout: Checkout, environment: Mapping[str, str]) -> bool:
    """Run one check quietly; its output is shown only when it fails."""
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=checkout.root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    say(f"  {name:<13} {'failed' if done.returncode else 'passed'}  ({time.monotonic() - started:.1f} s)")
    if done.returncode:
        say(tail(done.stdout, 200))
    return done.returncode == 0


def reformat(checkout: Checkout) -> int:
    """Format, and fix what can be fixed without thinking."""
    prepare(checkout, Profile.DEV)
    commands = (["format", "."], ["check", "--fix", "."])
    codes = [
        run_in_terminal([checkout.python, "-m", "ruff", *command], checkout.root, child_environment(checkout))
        for command in commands
    ]
    return max(codes)


def generate_docs(checkout: Checkout) -> int:
    """Write the documents that are derived from the code."""
    prepare(checkout, Profile.DEV)
    command: list[str | Path] = [checkout.python, "-m", "scripts.generate_docs"]
    return run_in_terminal(command, checkout.root, child_environment(checkout, ENVIRONMENT="test"))


def demo(checkout: Checkout, base_url: str) -> int:
    """Play the whole-call tour against a running server."""
    prepare(checkout, Profile.BASE)
    command: list[str | Path] = [
        checkout.python,
        "-m",
        "scripts.demo_call",
        "--base-url",
        base_url,
        "--data-dir",
        checkout.data_dir,
    ]
    return run_in_terminal(command, checkout.root, child_environment(checkout))


def lock(checkout: Checkout, arguments: Sequence[str]) -> int:
    """Write the hashed requirements files from pyproject.toml; `--upgrade` (or `-P name`) takes newer releases."""
    prepare(checkout, Profile.BASE)
    environment = child_environment(checkout, UV_PYTHON_DOWNLOADS="never")
    for file, sources in LOCKED.items():
        command: list[str | Path] = [uv(checkout), *COMPILE.split(), *sources, "-o", file, *arguments]
        if run_in_terminal(command, checkout.root, environment):
            raise DevError(f"{file} could not be written.", "uv's own words are above.")
        say(f"  wrote {file}")
    return 0


def run_in_terminal(command: Sequence[str | Path], cwd: Path, environment: Mapping[str, str]) -> int:
    """Run a tool in the foreground, so that a debugger can read the terminal; returns its exit code.

    Ctrl-C reaches the tool from the terminal itself, so we only wait; a signal that only we got is passed on.
    """
    with subprocess.Popen(command, cwd=cwd, env=environment) as child:
        while True:
            try:
                code = child.wait()
                return code if code >= 0 else 128 - code  # ended by a signal: told as a shell tells it
            except Interrupted as interruption:
                if interruption.number != signal.SIGINT or not os.isatty(0):
                    child.send_signal(interruption.number)
