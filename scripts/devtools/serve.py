"""`make run` starts everything on this machine, in order, and stops it in the reverse order after Ctrl-C."""

import http.client
import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.devtools import ports
from scripts.devtools.checkout import Checkout
from scripts.devtools.console import DevError, run_quietly, say, step
from scripts.devtools.packages import Profile, prepare
from scripts.devtools.processes import (
    exclusive,
    read_json,
    start,
    stop,
    stop_orphan,
    wait_until,
    write_private,
)
from scripts.devtools.services import Services, Wishes, persistent

DEFAULT_PORT = 8000
STOP_SECONDS = 30.0
HEALTHY_SECONDS = 60.0
WATCH_SECONDS = 0.2
SIGNALS = ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5.0))
SERVER = "app.server"


@dataclass(frozen=True)
class ServeOptions:
    host: str
    port: int | None
    reload: bool
    wishes: Wishes

    @property
    def address(self) -> tuple[str, int]:
        """Where a client on this machine reaches the server."""
        return (ports.LOOPBACK if self.host in {"0.0.0.0", ""} else self.host, self.port or DEFAULT_PORT)  # noqa: S104

    @property
    def url(self) -> str:
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(checkout: Checkout, options: ServeOptions) -> int:
    """Run until interrupted (0) or until one of the servers ends by itself (1)."""
    checkout.make_directories()
    started = time.monotonic()
    record = checkout.data_dir / "serve.json"
    with ExitStack() as stack:
        if not stack.enter_context(exclusive(checkout.data_dir / "serve.lock")):
            raise already_serving(checkout, read_json(record))
        stop_earlier_server(checkout, record)
        require_port(options)
        prepare(checkout, profile_needed(os.environ))
        services = stack.enter_context(persistent(checkout, options.wishes))
        prepare_database(checkout, services)
        stack.callback(record.unlink, missing_ok=True)
        stack.enter_context(web_server(checkout, options, services, record))
        announce(checkout, options, services, time.monotonic() - started)
        return watch(services)


def running_url(checkout: Checkout) -> str:
    """The address of the server that runs in this data directory, or the usual one while there is none."""
    return str(read_json(checkout.data_dir / "serve.json").get("url", f"http://{ports.LOOPBACK}:{DEFAULT_PORT}"))


def already_serving(checkout: Checkout, record: dict[str, object]) -> DevError:
    where = f" at {record['url']} (process {record['pid']})" if {"url", "pid"} <= set(record) else ""
    return DevError(
        f"This checkout is being served already{where}.",
        f"Stop that one (Ctrl-C there), or start another with a data directory and port of its own:\n"
        f"--data-dir {checkout.data_dir}-2 --port {DEFAULT_PORT + 1}",
    )


def stop_earlier_server(checkout: Checkout, record: Path) -> None:
    """Stop the web server that a killed run left behind, since it would keep the port."""
    pid = read_json(record).get("server")
    if isinstance(pid, int) and stop_orphan(pid, SERVER, checkout.root, (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        say("  stopped the web server that an earlier, killed run had left")


def require_port(options: ServeOptions) -> None:
    """Fail before the long steps when the port is taken. Clients are told this port, so no other one is chosen."""
    port = options.port or DEFAULT_PORT
    if not ports.is_free(port, options.host):
        raise DevError(
            f"Port {port} on {options.host} is taken by another program, or not allowed to you.",
            f"Choose another: python3 scripts/dev.py serve --port {port + 1}   (or: make run PORT={port + 1})",
        )


def profile_needed(environ: Mapping[str, str]) -> Profile:
    """The packages to install: those of production are enough where the developer has servers of their own."""
    return Profile.BASE if environ.get("DATABASE_URL") and environ.get("REDIS_URL") else Profile.LOCAL


def prepare_database(checkout: Checkout, services: Services) -> None:
    """Migrate, then load the demo tenant and the code sets beside each other. Both are loaded once only."""

    def run(module: str, *arguments: str) -> None:
        run_quietly(
            [checkout.python, "-m", module, *arguments],
            problem=f"The step `{module}` failed",
            advice=f"The database's own log: {checkout.logs / 'postgres.log'}",
            cwd=checkout.root,
            env=services.environment,
        )

    with step("migrations") as running:
        run("alembic", "upgrade", "head")
        running.outcome = "at head"
    with ThreadPoolExecutor(1) as beside:
        loading = beside.submit(run, "scripts.codesets")
        with step("demo tenant") as running:
            run("scripts.seed_demo")
            running.outcome = "there"
        with step("codes") as running:
            loading.result()
            running.outcome = "ICD-10-CM and medications"


@contextmanager
def web_server(checkout: Checkout, options: ServeOptions, services: Services, record: Path) -> Iterator[None]:
    """Run the web server, which is healthy inside the block and is stopped gracefully at its end."""
    host, port = options.host, options.port or DEFAULT_PORT
    command: list[str | Path] = [checkout.python, "-m", SERVER, "--host", host, "--port", str(port)]
    if options.reload:
        command += ["--reload"]
    with step("web server") as running:
        defaults = {"APP_URL": options.url, "DRAIN_SECONDS": "0"}
        child = start(command, cwd=checkout.root, env=defaults | services.environment)
        services.children["The web server"] = child
        try:
            write_private(record, json.dumps({"pid": os.getpid(), "server": child.pid, "url": options.url}))
            wait_until_healthy(services, options)
        except BaseException:
            stop(child, *SIGNALS)
            raise
        running.outcome = "healthy"
    try:
        yield
    finally:
        stop(child, *SIGNALS)


def wait_until_healthy(services: Services, options: ServeOptions) -> None:
    """Return when /health/ready answers 200; raises DevError when a server ends first or the app stays unready."""
    wait_until(lambda: bool(ended(services)) or is_ready(*options.address), HEALTHY_SECONDS)
    if ended(services):
        raise DevError(ended(services), "Its own words are above, or in the logs directory of the data directory.")
    if not is_ready(*options.address):
        raise DevError(
            f"The web server is not ready after {HEALTHY_SECONDS:.0f} s.",
            f"What it waits for: curl {options.url}/health/ready (while it runs) and its words above.",
        )


def ended(services: Services) -> str:
    """Which server ended by itself; empty while all run."""
    for name, child in services.children.items():
        if child.poll() is not None:
            return f"{name} ended by itself (exit {child.returncode})."
    return ""


def is_ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def announce(checkout: Checkout, options: ServeOptions, services: Services, seconds: float) -> None:
    say(f"\nReady after {seconds:.1f} s at {options.url}")
    say(f"  API documentation  {options.url}/docs")
    say(f"  demo logins        {checkout.data_dir / 'demo-credentials.json'} (tenant `demo`)")
    schemas = services.environment.get("NEMSIS_SCHEMA_DIR")
    say(
        f"  NEMSIS schemas     {schemas or 'none here: the own dictionary validates (see NEMSIS_SCHEMA_DIR in README)'}"
    )
    say("  stop               Ctrl-C\n")


def watch(services: Services) -> int:
    """Wait for Ctrl-C or SIGTERM; a server that ends by itself takes the rest down with it."""
    try:
        while True:
            if ended(services):
                say(f"{ended(services)} Stopping the rest.")
                return 1
            time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        say("\nstopping …")
        return 0
