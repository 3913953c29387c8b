"""`serve` from start to end, with a real process that is really killed."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.devtools import ports, postgres
from scripts.devtools.checkout import ROOT, Checkout
from scripts.devtools.console import DevError
from scripts.devtools.processes import command_line, server_account, stop_orphan, wait_until
from scripts.devtools.serve import ServeOptions, is_ready, profile_needed, require_port, serve, stop_earlier_server
from scripts.devtools.services import Wishes, servers_home

DRIVER = """
import sys
from pathlib import Path
from scripts.devtools import interrupts, serve
from scripts.devtools.checkout import Checkout
from scripts.devtools.services import Wishes
serve.prepare = lambda checkout, profile: None
serve.prepare_database = lambda checkout, services: None
interrupts.end_in_order()
root, data, port = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
sys.exit(serve.serve(Checkout(root, data), serve.ServeOptions("127.0.0.1", port, False, Wishes())))
"""
EVERYWHERE = "0.0.0.0"  # noqa: S104
OURS = ("DATABASE_URL", "MIGRATION_DATABASE_URL", "SYSTEM_DATABASE_URL", "REDIS_URL")


@contextmanager
def serving(root: Path, checkout: Checkout, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A running `serve` of the stub app, healthy; ended on the way out."""
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    command: list[str | Path] = [sys.executable, "-c", DRIVER, root, checkout.data_dir, str(port)]
    said = checkout.data_dir / "serve.out"
    with said.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        assert wait_until(lambda: process.poll() is not None or "Ready after" in said.read_text(), 90)
        assert process.poll() is None, said.read_text()
        assert is_ready(ports.LOOPBACK, port)
        yield process
    finally:
        process.terminate()
        process.wait(90)


@pytest.fixture(autouse=True)
def nothing_left_running(stub_root: Path, checkout: Checkout) -> Iterator[None]:
    """A failing test must not leave its servers on the machine."""
    yield
    stop_earlier_server(Checkout(stub_root, checkout.data_dir), checkout.data_dir / "serve.json")
    home = servers_home(checkout, server_account(ROOT))
    postgres.reclaim(home / "postgres", postgres.IMMEDIATE)
    for valkey_pid in home.glob("valkey/valkey.pid"):
        stop_orphan(int(valkey_pid.read_text()), "-server", home / "valkey.conf", (signal.SIGKILL, 5.0))


def servers(checkout: Checkout) -> list[int]:
    """The processes that the records of the data directory name."""
    home = servers_home(checkout, server_account(ROOT))
    return [
        int((home / "postgres" / "postmaster.pid").read_text().split()[0]),
        int((home / "valkey" / "valkey.pid").read_text()),
        json.loads((checkout.data_dir / "serve.json").read_text())["server"],
    ]


def all_gone(pids: list[int]) -> bool:
    return not any(command_line(pid) for pid in pids)


@pytest.mark.parametrize("killed", ["everything", "serve alone"])
def test_after_a_kill_the_next_start_takes_over_and_sigterm_ends_all(
    stub_root: Path, checkout: Checkout, killed: str
) -> None:
    port = ports.any_free()
    with serving(stub_root, checkout, port) as first:
        before = servers(checkout)
        for pid in [first.pid, *(before if killed == "everything" else [])]:
            os.kill(pid, signal.SIGKILL)
        first.wait()
    with serving(stub_root, checkout, port) as second:
        assert wait_until(lambda: all_gone(before), 10), "nothing of the killed run is left"
        after = servers(checkout)
        second.send_signal(signal.SIGTERM)
        assert second.wait(60) == 0
        assert all_gone(after)
    assert not (checkout.data_dir / "serve.json").exists()


def test_a_second_serve_of_the_same_data_says_where_the_first_is(stub_root: Path, checkout: Checkout) -> None:
    port = ports.any_free()
    with serving(stub_root, checkout, port) as first:
        with pytest.raises(DevError, match=f"http://127.0.0.1:{port} .process {first.pid}"):
            serve(checkout, ServeOptions("127.0.0.1", ports.any_free(), False, Wishes()))
        assert is_ready(ports.LOOPBACK, port)
        first.send_signal(signal.SIGINT)
        assert first.wait(60) == 0


def test_a_server_that_ends_by_itself_ends_the_rest(stub_root: Path, checkout: Checkout) -> None:
    with serving(stub_root, checkout, ports.any_free()) as process:
        pids = servers(checkout)
        os.kill(pids[0], signal.SIGKILL)
        assert process.wait(60) == 1
        assert all_gone(pids)
    assert "PostgreSQL ended by itself" in (checkout.data_dir / "serve.out").read_text()


def test_an_app_that_does_not_start_is_reported_and_nothing_stays(stub_root: Path, checkout: Checkout) -> None:
    (stub_root / "app" / "main.py").write_text("raise RuntimeError('broken on purpose')")
    with (
        pytest.raises(AssertionError, match="The web server ended by itself"),
        serving(stub_root, checkout, ports.any_free()),
    ):
        pytest.fail("a broken app was called healthy")
    home = servers_home(checkout, server_account(ROOT))
    assert not (home / "postgres" / "postmaster.pid").exists()
    assert not (home / "valkey" / "valkey.pid").exists()


def test_a_taken_port_fails_at_once_with_a_way_out() -> None:
    with socket.socket() as other:
        other.bind((ports.LOOPBACK, 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(DevError, match=str(taken)) as caught:
            require_port(ServeOptions("127.0.0.1", taken, False, Wishes()))
    assert f"--port {taken + 1}" in caught.value.advice


@pytest.mark.parametrize(
    ("host", "url"), [(EVERYWHERE, "http://127.0.0.1:8000"), ("::1", "http://[::1]:8000"), ("db", "http://db:8000")]
)
def test_the_address_that_is_printed_can_be_opened(host: str, url: str) -> None:
    assert ServeOptions(host, None, False, Wishes()).url == url


def test_embedded_servers_are_installed_only_when_one_is_needed() -> None:
    both = {"DATABASE_URL": "x", "REDIS_URL": "y"}
    assert profile_needed(both).requirements == "requirements.txt"
    for missing in both:
        assert profile_needed({missing: "x"}).requirements == "requirements-local.txt"
