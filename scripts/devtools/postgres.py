"""Makes, starts and stops a PostgreSQL cluster of our own, and recovers it after a crash, without a trace elsewhere."""

import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

from scripts.devtools import ports
from scripts.devtools.console import DevError, run_quietly, tail
from scripts.devtools.database_urls import SUPERUSER
from scripts.devtools.postgres_programs import SET_IT_YOURSELF, Programs
from scripts.devtools.processes import Account, read_json, start, stop, stop_orphan, wait_until, write_private

START_SECONDS = 120.0  # crash recovery after a long run may take its time
ATTEMPTS = 20
LOCALE = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
FAST = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))
IMMEDIATE = ((signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))

# Statements hold clinical data and error messages quote it, so neither is logged: the app reports its own errors.
SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",
    "log_min_messages": "log",
    "lc_messages": "C",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "200",
}
# For a cluster that is thrown away after the run: losing it in a power cut costs nothing.
THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


@dataclass(frozen=True)
class Cluster:
    """The cluster in `home/postgres`, which only `account` can read. The file `record` tells its port."""

    home: Path
    record: Path
    log: Path
    account: Account
    programs: Programs
    superuser_password: str
    throwaway: bool = False
    extra_settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        return self.home / "postgres"

    @property
    def settings(self) -> dict[str, str]:
        return SETTINGS | (THROWAWAY if self.throwaway else {}) | dict(self.extra_settings)

    def url(self, port: int) -> str:
        """The superuser's address."""
        return f"postgresql://{SUPERUSER}:{self.superuser_password}@{ports.LOOPBACK}:{port}/postgres"


@contextmanager
def running(cluster: Cluster, asked_port: int | None = None) -> Iterator[tuple[int, Popen[bytes]]]:
    """The started cluster's port and process; stopped on the way out.

    Whoever calls holds the data directory's lock: a server found running in the directory is left from a killed run.
    """
    reclaim(cluster.directory, IMMEDIATE if cluster.throwaway else FAST)
    if cluster.throwaway:
        shutil.rmtree(cluster.directory, ignore_errors=True)
    if not (cluster.directory / "PG_VERSION").exists():
        create(cluster)
    port, child = launch(cluster, asked_port)
    try:
        yield port, child
    finally:
        stop(child, *(IMMEDIATE if cluster.throwaway else FAST))
        if cluster.throwaway:
            shutil.rmtree(cluster.directory, ignore_errors=True)


def made_by(directory: Path) -> int | None:
    """The major release that made the cluster, or None when there is none."""
    try:
        return int((directory / "PG_VERSION").read_text())
    except (OSError, ValueError):
        return None


def postmaster_file(directory: Path) -> list[str]:
    """The lines of postmaster.pid: 0 the process, 7 its state."""
    try:
        return (directory / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def reclaim(directory: Path, signals: tuple[tuple[signal.Signals, float], ...]) -> None:
    """Stop a server that a killed run left in our directory, and drop a lock file whose process is something else.

    PostgreSQL itself would refuse to start when the old number belongs to any process of the same user by now.
    """
    lines = postmaster_file(directory)
    if not lines:
        return
    pid = abs(int(lines[0])) if lines[0].lstrip("-").isdigit() else 0
    if not pid or not stop_orphan(pid, "postgres", directory, *signals):
        (directory / "postmaster.pid").unlink(missing_ok=True)


def create(cluster: Cluster) -> None:
    """Run initdb beside the final place and then rename, so that a killed run leaves nothing half made."""
    draft = cluster.home / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    cluster.account.give(draft)
    password_file = cluster.home / "postgres.password"
    write_private(password_file, cluster.superuser_password)
    cluster.account.give(password_file)
    options = [f"--username={SUPERUSER}", "--auth=scram-sha-256", f"--pwfile={password_file}"]
    options += ["--encoding=UTF8", f"--locale={LOCALE}"]
    if cluster.programs.major >= 17:
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if cluster.throwaway:
        options += ["--no-sync"]
    try:
        run_quietly(
            [cluster.programs.directory / "initdb", "-D", draft, *options],
            problem="The PostgreSQL cluster cannot be made",
            advice=SET_IT_YOURSELF,
            cwd=Path("/"),
            env=server_environment(),
            identity=cluster.account.identity,
        )
    finally:
        password_file.unlink(missing_ok=True)
    draft.rename(cluster.directory)


def launch(cluster: Cluster, asked_port: int | None) -> tuple[int, Popen[bytes]]:
    """Start the server and wait until it takes connections. Failures that pass by themselves are retried."""
    port = ports.choose(asked_port, read_json(cluster.record).get("port"))
    said = ""
    for _ in range(ATTEMPTS):
        log_before = cluster.log.stat().st_size if cluster.log.exists() else 0
        options = [part for name, value in cluster.settings.items() for part in ("-c", f"{name}={value}")]
        child = start(
            [cluster.programs.directory / "postgres", "-D", cluster.directory, "-p", str(port), *options],
            cwd=cluster.home,
            log=cluster.log,
            env=server_environment(),
            account=cluster.account,
        )
        if wait_until_ready(cluster, child):
            write_private(cluster.record, json.dumps({"directory": str(cluster.directory), "port": port}))
            return port, child
        stop(child, *IMMEDIATE)
        said = cluster.log.read_bytes()[log_before:].decode(errors="replace")
        if "Address already in use" in said and asked_port is None:
            port = ports.any_free()
        elif "pre-existing shared memory block" in said:
            time.sleep(0.5)  # the killed server's own children notice within a moment
        else:
            break
    taken = f"Port {port} is taken: choose another with --pg-port." if "Address already in use" in said else ""
    raise DevError(f"PostgreSQL does not start:\n{tail(said, 15)}", taken or f"Its log: {cluster.log}")


def wait_until_ready(cluster: Cluster, child: Popen[bytes]) -> bool:
    """True if the server reports itself ready, in the way that pg_ctl reads it; False when it ended instead."""

    def settled() -> bool:
        return child.poll() is not None or is_ready(cluster.directory, child.pid)

    try:
        return wait_until(settled, START_SECONDS) and child.poll() is None
    except BaseException:
        stop(child, *FAST)
        raise


def is_ready(directory: Path, pid: int) -> bool:
    lines = postmaster_file(directory)
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def server_environment() -> dict[str, str]:
    """An environment without the developer's PGDATA, PGOPTIONS and the like, which would redirect the server."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": LOCALE, "TZ": "UTC"}
