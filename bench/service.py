"""Starts the measured process, and talks to it before and after the load."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.core.paths import API_PREFIX
from bench.load import Client, Connection
from bench.scratch import ROOT, Medic

ROUTES = {"real": "", "hand-written": "/by-hand", "plain ORM": "/by-orm"}
_API = API_PREFIX
_CHART: dict[str, Any] = {
    "incident_number": "26-004711",
    "dispatch_time": "2026-03-01T09:41:00Z",
    "enroute_time": "2026-03-01T09:42:30Z",
    "location_street": "100 Main Street",
    "location_city": "Springfield",
    "location_state": "IL",
    "location_zip": "62701",
    "elements": {
        "eResponse.05": [{"value": "2205001"}],
        "eResponse.08": [{"not_value": "7701003"}],
        "eResponse.13": [{"value": "M-12"}],
        "eResponse.14": [{"value": "Medic 12"}],
    },
}


class UnexpectedAnswer(Exception):
    """The service does not work as the measurement needs it."""


@dataclass
class Service:
    """A running process. `http` is the connection for what happens beside the load."""

    port: int
    http: Connection
    pid: int
    token: str = ""
    _opened: list[Connection] = field(default_factory=list)

    async def expect(self, status: int, method: str, path: str, body: Any = None) -> Any:
        """The JSON answer. Raises UnexpectedAnswer for any other status."""
        answered, content = await self.http.request(method, path, body, self.token)
        if answered != status:
            raise UnexpectedAnswer(f"{method} {path}: {answered} {content.decode()}")
        return orjson.loads(content) if content else None

    async def sign_in(self, medic: Medic) -> None:
        answer = await self.expect(200, "POST", f"{_API}/auth/login", vars(medic))
        self.token = answer["access_token"]

    async def open_chart(self) -> dict[str, Any]:
        """A new incident as a crew has it some minutes into a call."""
        chart: dict[str, Any] = await self.expect(201, "POST", f"{_API}/ems/incidents", _CHART)
        return chart

    async def client(self, variant: str) -> Client:
        """A connection and a chart of its own, saved through `variant`'s route."""
        chart = await self.open_chart()
        self._opened.append(await Connection.open(self.port))
        return Client(self._opened[-1], self.token, save_path(chart["id"], variant), chart["version"])

    async def collect_garbage(self) -> None:
        await self.expect(204, "DELETE", "/garbage")

    def close(self) -> None:
        for connection in (self.http, *self._opened):
            connection.close()

    async def cpu_seconds(self) -> float:
        read: float = (await self.expect(200, "GET", "/meter"))["cpu_seconds"]
        return read


def save_path(incident_id: str | uuid.UUID, variant: str) -> str:
    return f"{_API}/ems/incidents/{incident_id}{ROUTES[variant]}"


@contextlib.asynccontextmanager
async def running(environment: Mapping[str, str], *, with_relay: bool = False) -> AsyncIterator[Service]:
    """Run one process without jobs, relay and Redis. These run beside requests and cost the same whoever writes.

    `with_relay` runs them, for what a process sends beside its answers.
    """
    with tempfile.TemporaryDirectory() as data, socket.create_server(("127.0.0.1", 0)) as listening:
        given = {**os.environ, **environment, "DATA_DIR": data, "ACCESS_TOKEN_SECONDS": "3600"}
        given["RUN_JOBS"] = str(with_relay).lower()
        if not with_relay:
            given.pop("REDIS_URL", None)
        port, descriptor = listening.getsockname()[1], listening.fileno()
        process = subprocess.Popen(  # noqa: ASYNC220  # returns at once; its end is awaited below
            [sys.executable, "-m", "bench.server", str(descriptor)],
            cwd=ROOT,
            env=given,
            pass_fds=[descriptor],
            stdout=subprocess.DEVNULL,
        )
        listening.close()  # the process holds it alone: if it dies, requests fail and do not wait
        try:
            service = Service(port, await Connection.open(port), process.pid)
            yield service
            service.close()
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)
