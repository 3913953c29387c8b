"""Starts and stops servers of ours, and only those.

A process is ours when its command line or working directory names our directory; a bare pid proves nothing, since the
system hands pids out again.
"""

import contextlib
import fcntl
import json
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.devtools.console import DevError

PROC = Path("/proc")
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Account:
    """Who the database servers run as: ourselves, but never root, which PostgreSQL refuses and Valkey should not be."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        return self.uid != os.geteuid()

    @property
    def identity(self) -> dict[str, Any]:
        """The arguments of Popen that start a process as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}

    def give(self, path: Path) -> None:
        """Hand a file or an empty directory over; no-op for our own account."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)


def server_account(checkout_root: Path) -> Account:
    """The account of the servers: ours; for root the owner of the checkout (as under sudo), else `nobody`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    owner = checkout_root.stat()
    with contextlib.suppress(KeyError):  # initdb refuses a number without a name, as a mounted checkout may have
        if owner.st_uid != 0 and pwd.getpwuid(owner.st_uid):
            return Account(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise DevError(
            "PostgreSQL refuses to run as root, and this system has no user `nobody` to run it as.",
            "Run as an ordinary user, or start PostgreSQL and Redis yourself and set DATABASE_URL and REDIS_URL.",
        ) from error
    return Account(nobody.pw_uid, nobody.pw_gid)


def command_line(pid: int) -> str:
    """What the process was started with; empty when it is gone, is a zombie or is not ours to see."""
    if PROC.joinpath("self").exists():
        try:
            return PROC.joinpath(str(pid), "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, errors="replace", check=False
    )
    return listed.stdout.strip()


def working_directory(pid: int) -> Path | None:
    try:
        return PROC.joinpath(str(pid), "cwd").readlink()
    except OSError:
        return None


def is_ours(pid: int, program: str, path: Path) -> bool:
    """True if the live process `pid` is `program` and was given our `path`, as an argument or to work in."""
    command = command_line(pid)
    return program in command and (f" {path} " in f" {command} " or working_directory(pid) == path)


def start(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    account: Account | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that Ctrl-C in the terminal reaches us first and we stop it in order.

    Output is appended to `log`, or goes where ours goes.
    """
    identity = account.identity if account else {}
    try:
        with contextlib.ExitStack() as files:
            sink = files.enter_context(log.open("ab")) if log else None
            return subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT if sink else None,
                start_new_session=True,
                **identity,
            )
    except OSError as error:
        raise DevError(f"{Path(command[0]).name} cannot be started: {error}") from error


def stop(child: subprocess.Popen[bytes], *signals: tuple[signal.Signals, float]) -> None:
    """Send each signal in turn to a child until it ends within that signal's seconds."""
    for number, seconds in signals:
        if child.poll() is not None:
            return
        send(child.pid, number)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            continue


def send(pid: int, number: signal.Signals) -> None:
    """Signal a server that `start` started; the hard end takes its whole process group, a reloader's worker too."""
    with contextlib.suppress(ProcessLookupError):
        (os.killpg if number == signal.SIGKILL else os.kill)(pid, number)


def stop_orphan(pid: int, program: str, path: Path, *signals: tuple[signal.Signals, float]) -> bool:
    """Stop a server that an earlier, killed run left behind. False when no such process of ours lives."""
    if not is_ours(pid, program, path):
        return False
    for number, seconds in signals:
        send(pid, number)
        if wait_until(lambda: not is_ours(pid, program, path), seconds):
            return True
    raise DevError(f"{program} (process {pid}) of an earlier run does not stop.", f"Stop it yourself: kill -9 {pid}")


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll until the condition holds; False when the time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def read_json(path: Path) -> dict[str, Any]:
    """A small record of ours; empty when it is missing or was cut short by a crash."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


@contextmanager
def exclusive(path: Path) -> Iterator[bool]:
    """Try to hold the lock file; yields whether it is ours. The system releases it when we die, however we die."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held = True
    except BlockingIOError:
        held = False
    try:
        yield held
    finally:
        os.close(handle)
