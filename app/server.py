"""The web server process (`python -m app.server`): uvicorn with this service's limits, for `make run` and the image."""

from __future__ import annotations

import argparse
import resource
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.supervisors import ChangeReload

from app.core.serving.protocol import BoundedConfig
from app.core.serving.server import DrainingServer
from app.main import create_app
from app.registry import WEBSOCKETS, ServiceSettings, load_settings

OTHER_FILES = 256
"""Files that a process has open beside its clients' connections: database, Redis, gateways, objects."""


def allow_files(connections: int) -> None:
    """Raises the limit of open files to what `connections` need. Raises SystemExit if the system refuses so many."""
    needed = connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed or soft == resource.RLIM_INFINITY:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SystemExit(f"MAX_CONNECTIONS={connections} needs {needed} open files, and the system allows {hard}.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def serve(settings: ServiceSettings, address: Mapping[str, Any], listening: socket.socket | None) -> None:
    """Serve until SIGTERM or SIGINT."""
    app = create_app(settings)
    runtime = app.state.runtime
    config = BoundedConfig(
        app, settings, websockets=WEBSOCKETS, forwarded_allow_ips=settings.forwarded_allow_ips, **address
    )
    DrainingServer(config, runtime.announce_stop).run(None if listening is None else [listening])


def serve_and_reload(settings: ServiceSettings, address: Mapping[str, Any], listening: socket.socket | None) -> None:
    """Serve, and start again whenever a file of `app/` changes."""
    config = BoundedConfig(
        "app.main:create_app",
        settings,
        websockets=WEBSOCKETS,
        factory=True,
        reload=True,
        reload_dirs=[str(Path(__file__).parent)],
        forwarded_allow_ips=settings.forwarded_allow_ips,
        **address,
    )
    ChangeReload(config, target=uvicorn.Server(config).run, sockets=[listening or config.bind_socket()]).run()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m app.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--fd", type=int, help="a listening socket that is open already")
    parser.add_argument("--reload", action="store_true", help="start again when app/ changes")
    given = parser.parse_args(arguments)
    settings = load_settings()
    allow_files(settings.max_connections)
    start = serve_and_reload if given.reload else serve
    listening = None if given.fd is None else socket.socket(fileno=given.fd)
    start(settings, {"host": given.host, "port": given.port}, listening)


if __name__ == "__main__":
    main(sys.argv[1:])
