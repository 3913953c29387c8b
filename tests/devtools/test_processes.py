"""Only processes of ours are ever signalled, whatever number a file from last week holds."""

import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.devtools.console import DevError
from scripts.devtools.processes import (
    Account,
    command_line,
    exclusive,
    is_ours,
    read_json,
    server_account,
    start,
    stop,
    stop_orphan,
    wait_until,
    write_private,
)

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
HARD = ((signal.SIGTERM, 0.3), (signal.SIGKILL, 5.0))


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that was given our directory as an argument."""
    with subprocess.Popen([*SLEEP, "-D", tmp_path / "ours"]) as child:
        assert wait_until(lambda: "ours" in command_line(child.pid), 5), "Popen returns a moment before it can be read"
        yield child
        child.kill()


def test_a_process_is_ours_by_program_and_directory(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert is_ours(sleeper.pid, "python", tmp_path / "ours")
    assert not is_ours(sleeper.pid, "postgres", tmp_path / "ours")
    assert not is_ours(sleeper.pid, "python", tmp_path / "our")
    assert not is_ours(sleeper.pid, "python", tmp_path / "ours.previous")


def test_a_process_that_works_in_our_directory_is_ours(tmp_path: Path) -> None:
    with subprocess.Popen(SLEEP, cwd=tmp_path) as child:
        assert wait_until(lambda: is_ours(child.pid, "python", tmp_path), 5)
        child.kill()


def test_a_foreign_process_is_not_stopped(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert not stop_orphan(sleeper.pid, "python", tmp_path / "theirs", *HARD)
    assert sleeper.poll() is None


def test_an_ended_process_is_nobodys(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    sleeper.kill()
    assert wait_until(lambda: not is_ours(sleeper.pid, "python", tmp_path / "ours"), 5), "a zombie counts as ended"
    assert not stop_orphan(sleeper.pid, "python", tmp_path / "ours", *HARD)


def test_an_orphan_of_ours_is_stopped_even_if_it_resists(tmp_path: Path) -> None:
    child = start([sys.executable, "-c", STUBBORN, "-D", tmp_path], cwd=tmp_path, log=tmp_path / "log")
    assert wait_until(lambda: "up" in (tmp_path / "log").read_text(), 10)
    assert stop_orphan(child.pid, "python", tmp_path, *HARD)
    assert child.wait() == -signal.SIGKILL


def test_an_orphan_that_does_not_stop_is_an_error_that_names_it(tmp_path: Path) -> None:
    child = start([sys.executable, "-c", STUBBORN, "-D", tmp_path], cwd=tmp_path, log=tmp_path / "log")
    assert wait_until(lambda: "up" in (tmp_path / "log").read_text(), 10)
    with pytest.raises(DevError, match=str(child.pid)):
        stop_orphan(child.pid, "python", tmp_path, (signal.SIGTERM, 0.2))
    stop(child, (signal.SIGKILL, 5.0))


def test_the_hard_end_takes_the_group(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; print(subprocess.Popen(sys.argv[1:]).pid, flush=True); sys.stdin.read()\nwhile 1: pass"
    )
    parent = start([sys.executable, "-c", code, *SLEEP, "-D", tmp_path], cwd=tmp_path, log=tmp_path / "log")
    assert wait_until(lambda: "\n" in (tmp_path / "log").read_text(), 10)
    grandchild = int((tmp_path / "log").read_text())
    stop(parent, (signal.SIGKILL, 5.0))
    assert wait_until(lambda: not is_ours(grandchild, "python", tmp_path), 5)


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DevError, match="nowhere"):
        start([tmp_path / "nowhere"], cwd=tmp_path)


def test_a_lock_excludes_and_dies_with_its_holder(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    code = (
        "import sys, time; from pathlib import Path; from scripts.devtools.processes import exclusive\n"
        "with exclusive(Path(sys.argv[1])) as held: print(held, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, lock], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with exclusive(lock) as held:
            assert not held
        holder.kill()
    with exclusive(lock) as held:
        assert held


def test_records_survive_a_crash(tmp_path: Path) -> None:
    (tmp_path / "record").write_text('{"port": 1')
    assert read_json(tmp_path / "record") == {}
    write_private(tmp_path / "record", '{"port": 1}')
    assert read_json(tmp_path / "record") == {"port": 1}
    assert (tmp_path / "record").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["record"]


def test_servers_never_run_as_root(tmp_path: Path) -> None:
    account = server_account(tmp_path)
    assert account.uid != 0
    assert account.is_other is (os.geteuid() == 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand the servers to somebody else")
def test_root_hands_the_servers_to_the_checkouts_owner_if_it_has_a_name(tmp_path: Path) -> None:
    somebody = pwd.getpwnam("daemon")
    os.chown(tmp_path, somebody.pw_uid, somebody.pw_gid)
    assert server_account(tmp_path) == Account(somebody.pw_uid, somebody.pw_gid)
    os.chown(tmp_path, 54321, 54321)
    assert server_account(tmp_path).uid == pwd.getpwnam("nobody").pw_uid


def test_our_own_account_changes_no_identity(tmp_path: Path) -> None:
    ourselves = Account(os.geteuid(), os.getegid())
    before = tmp_path.stat()
    ourselves.give(tmp_path)
    assert ourselves.identity == {}
    assert (tmp_path.stat().st_uid, tmp_path.stat().st_gid) == (before.st_uid, before.st_gid)


def test_waiting_ends_when_the_time_is_up() -> None:
    before = time.monotonic()
    assert not wait_until(lambda: False, 0.05)
    assert time.monotonic() >= before + 0.05
