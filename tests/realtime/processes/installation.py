"""An installation of its own: a database, a Redis that can be killed, and processes of the service that can be killed.

The relay and the jobs run in its processes, beside the requests, as in production.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydantic import SecretStr

from app.core.config import Settings
from scripts.devtools import ports, valkey
from scripts.devtools.checkout import ROOT, Checkout
from scripts.devtools.processes import server_account, stop
from scripts.devtools.services import servers_home
from tests.core.identity.conftest import environment_of
from tests.core.waiting import expect_eventually
from tests.support.actors import Agency, found_agency
from tests.support.database import TestDatabase

AT_ONCE = ((signal.SIGKILL, 5.0),)


@dataclass
class Redis:
    """A server that keeps its address and its password over its deaths, and nothing else."""

    server: valkey.Valkey
    port: int
    password: str
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{ports.LOOPBACK}:{self.port}/0"

    async def kill(self) -> None:
        await asyncio.to_thread(stop, self.process, *AT_ONCE)

    async def start(self) -> None:
        _, self.process = await asyncio.to_thread(valkey.launch, self.server, self.password, self.port)


@contextlib.contextmanager
def killable_redis(directory: Path) -> Iterator[Redis]:
    """A running server with its files below `directory`, or for root where the servers' account can reach them."""
    account = server_account(ROOT)
    checkout = Checkout(ROOT, directory)
    home = servers_home(checkout, account)
    server = valkey.Valkey(
        home=home,
        record=directory / "valkey.json",
        log=directory / "valkey.log",
        account=account,
        program=valkey.find_program(checkout, account, home),
        throwaway=True,
    )
    server.directory.mkdir(mode=0o700)
    account.give(server.directory)
    password = secrets.token_urlsafe(24)
    port, process = valkey.launch(server, password, None)
    redis = Redis(server, port, password, process)
    try:
        yield redis
    finally:
        stop(redis.process, *AT_ONCE)
        if account.is_other:
            shutil.rmtree(home)


@dataclass
class Process:
    """One process of the service at an address of its own. `said` is what it has printed, over all its lives."""

    environment: dict[str, str]
    said: Path
    port: int
    _running: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{ports.LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Returns when it serves."""
        with self.said.open("ab") as out:
            self._running = subprocess.Popen(  # noqa: ASYNC220  # returns at once; `kill` awaits its end
                [sys.executable, "-m", "app.server", "--port", str(self.port)],
                cwd=ROOT,
                env=self.environment,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        await expect_eventually(self._serves, 120)

    async def kill(self) -> None:
        """End it as the system does when memory is short: without a word to its clients."""
        if self._running is not None:
            self._running.kill()
            await asyncio.to_thread(self._running.wait)

    async def _serves(self) -> bool:
        """True if it takes connections, which it does when it is ready."""
        assert self._running is not None
        assert self._running.poll() is None, self.said.read_text()
        with contextlib.suppress(ConnectionRefusedError):
            _, writer = await asyncio.open_connection(ports.LOOPBACK, self.port)
            writer.close()
            return True
        return False


@dataclass
class Installation:
    settings: Settings
    database: TestDatabase
    redis: Redis
    directory: Path

    def process(self, **limits: int) -> Process:
        """A process that is not started yet, with these settings beside the usual ones."""
        port = ports.any_free()
        given = {"RUN_JOBS": "true", "DRAIN_SECONDS": "0", **{name.upper(): str(limits[name]) for name in limits}}
        return Process(environment_of(self.settings) | given, self.directory / f"said-{port}", port)

    async def found(self, client: httpx.AsyncClient) -> Agency:
        """A fresh agency, whose people send their requests by `client`."""
        return await found_agency(client, self.settings)


def installed(settings: Settings, database: TestDatabase, redis: Redis, directory: Path) -> Installation:
    """The settings of the tests, for servers of its own."""
    own = {
        "database_url": SecretStr(database.app),
        "system_database_url": SecretStr(database.system),
        "migration_database_url": SecretStr(database.owner),
        "redis_url": SecretStr(redis.url),
        "data_dir": directory,
    }
    return Installation(settings.model_copy(update=own), database, redis, directory)
