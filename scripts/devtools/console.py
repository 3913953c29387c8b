"""Prints what the developer sees: one line per step with its time, and failures that say what to do next."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TAIL_LINES = 40


class DevError(Exception):
    """A step failed; `advice` is what the developer can do about it."""

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.advice = advice


class Step:
    """A running step; whoever runs it sets `outcome`, which is printed when it is done."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.outcome = "done"


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Time a step and print `title  outcome  seconds`; on a terminal the title shows while it runs."""
    running = Step(title)
    started = time.monotonic()
    if sys.stdout.isatty():
        say(f"  {title} …\r", end="")
    try:
        yield running
    except BaseException:
        say(f"  {title:<13} failed  ({time.monotonic() - started:.1f} s)")
        raise
    say(f"  {title:<13} {running.outcome}  ({time.monotonic() - started:.1f} s)")


def say(line: str, *, end: str = "\n") -> None:
    """Print at once, also into a pipe."""
    print(line, end=end, flush=True)


def run_quietly(
    command: Sequence[str | Path],
    *,
    problem: str,
    advice: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    identity: Mapping[str, Any] | None = None,
) -> str:
    """Run a command and return its output; raises DevError with the end of that output when it fails.

    `identity` holds the user arguments of Popen, where it is to run as somebody else.
    """
    try:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            **(identity or {}),
        )
    except OSError as error:
        raise DevError(f"{problem}: {error}", advice) from error
    if done.returncode:
        raise DevError(f"{problem} (exit {done.returncode}):\n{tail(done.stdout)}", advice)
    return done.stdout


def tail(text: str, lines: int = TAIL_LINES) -> str:
    """The last lines, indented so that they stand apart from our own."""
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines()[-lines:])
