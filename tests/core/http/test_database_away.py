"""A real server that is frozen, stopping, gone, starting or full: 503 with Retry-After, and then it serves again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from app.core import runtime as core_runtime
from app.core.config import Settings
from app.core.runtime import Runtime
from app.main import create_app
from scripts.devtools import postgres
from scripts.devtools.checkout import ROOT, Checkout
from scripts.devtools.postgres_programs import find_programs
from scripts.devtools.processes import server_account, start, stop
from scripts.devtools.services import servers_home
from tests.core.http.contract import expect_refusal
from tests.core.waiting import expect_eventually
from tests.support.actors import Actor, Agency

APP_PASSWORD = "app-password"
LOGIN = {"tenant_slug": "agency", "email": "medic@agency.example", "password": "a password nobody has"}


@dataclass
class Server:
    """A PostgreSQL of this module's own, and how to do to it what happens to servers."""

    cluster: postgres.Cluster
    port: int
    child: Popen[bytes]

    @property
    def url(self) -> str:
        return self.cluster.url(self.port)

    @property
    def app_url(self) -> str:
        url = make_url(self.url).set(username="app", password=APP_PASSWORD)
        return url.render_as_string(hide_password=False)

    def family(self) -> list[int]:
        """The postmaster and its children."""
        children = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children").read_text().split()
        return [self.child.pid, *map(int, children)]

    def signal_all(self, number: signal.Signals) -> None:
        for pid in self.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    async def takes_nobody_now(self) -> bool:
        """57P03: it starts or stops."""
        try:
            await (await asyncpg.connect(self.url)).close()
        except asyncpg.CannotConnectNowError:
            return True
        except OSError:
            return False
        return False

    def start(self) -> None:
        self.port, self.child = postgres.launch(self.cluster, self.port)

    def stop(self) -> None:
        stop(self.child, *postgres.FAST)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    checkout = Checkout(ROOT, tmp_path_factory.mktemp("data"))
    checkout.make_directories()
    account = server_account(ROOT)
    home = servers_home(checkout, account) / "away"
    home.mkdir(parents=True)
    home.chmod(0o755 if account.is_other else 0o700)
    cluster = postgres.Cluster(
        home=home,
        record=checkout.data_dir / "away.json",
        log=checkout.logs / "away.log",
        account=account,
        programs=find_programs(checkout, account, home, "embedded", None),
        superuser_password="superuser-password",
        extra_settings={"fsync": "off"},
    )
    with postgres.running(cluster) as (port, child):
        server = Server(cluster, port, child)
        yield server
        server.stop()
    if account.is_other:
        shutil.rmtree(servers_home(checkout, account))


@pytest.fixture
async def service(
    server: Server, settings: Settings, agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Actor]:
    """The app on that server, with a medic's token, after it has served once."""
    admin = await asyncpg.connect(server.url)
    await admin.execute(
        f"""DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') THEN
            CREATE ROLE app LOGIN PASSWORD '{APP_PASSWORD}';
            CREATE TABLE alembic_version AS SELECT 'head' AS version_num; GRANT SELECT ON alembic_version TO app;
        END IF; END $$"""
    )
    await admin.close()
    monkeypatch.setattr(core_runtime, "APP_STATEMENT_SECONDS", 1)
    own = {"database_url": SecretStr(server.app_url), "system_database_url": SecretStr(server.app_url)}
    app = create_app(settings.model_copy(update=own))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    runtime: Runtime = app.state.runtime
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        actor = Actor(http, agency.medic.token)
        await expect_recovery(actor)
        yield actor
    await runtime.close()


async def expect_recovery(service: Actor) -> None:
    async def ready() -> bool:
        return (await service.get("/health/ready")).status_code == 200

    await expect_eventually(ready)


async def expect_unavailable(service: Actor) -> None:
    for answer in await asyncio.gather(
        service.get("/health/ready"),
        service.get("/metrics"),
        service.get("/api/v1/ems/incidents"),
        service.post("/api/v1/auth/login", json=LOGIN),
    ):
        expect_refusal(answer, 503, "SERVICE_UNAVAILABLE")
    assert (await service.get("/health/live")).status_code == 200


async def test_server_that_is_frozen(server: Server, service: Actor) -> None:
    """Connections stay open and nothing answers; what was on its way ends within the statement's time."""
    server.signal_all(signal.SIGSTOP)
    try:
        async with asyncio.timeout(30):
            expect_refusal(await service.get("/health/ready"), 503, "SERVICE_UNAVAILABLE")
            expect_refusal(await service.get("/api/v1/ems/incidents"), 503, "SERVICE_UNAVAILABLE")
    finally:
        server.signal_all(signal.SIGCONT)
    await expect_recovery(service)


async def test_server_that_stops_and_starts(server: Server, service: Actor) -> None:
    """57P03 while sessions end, a refused connection, 57P03 again during recovery; then it serves."""
    kept = await asyncpg.connect(server.url)
    server.child.send_signal(signal.SIGTERM)  # smart: waits for the session that is kept

    await expect_eventually(server.takes_nobody_now)
    await _end_sessions(kept)
    await expect_unavailable(service)
    await kept.close()
    await asyncio.to_thread(server.child.wait)
    await expect_unavailable(service)
    _recover_for_ever(server)
    await expect_eventually(server.takes_nobody_now)
    await expect_unavailable(service)
    server.stop()
    (server.cluster.directory / "standby.signal").unlink()
    await asyncio.to_thread(server.start)
    await expect_recovery(service)


async def test_server_that_is_full(server: Server, service: Actor) -> None:
    admin = await asyncpg.connect(server.url)
    await admin.execute("ALTER DATABASE postgres CONNECTION LIMIT 0")
    await _end_sessions(admin)
    try:
        await expect_unavailable(service)
    finally:
        await admin.execute("ALTER DATABASE postgres CONNECTION LIMIT -1")
        await admin.close()
    await expect_recovery(service)


async def test_server_that_refuses_the_role(server: Server, service: Actor) -> None:
    admin = await asyncpg.connect(server.url)
    await admin.execute("ALTER ROLE app NOLOGIN")
    await _end_sessions(admin)
    try:
        await expect_unavailable(service)
    finally:
        await admin.execute("ALTER ROLE app LOGIN")
        await admin.close()
    await expect_recovery(service)


async def _end_sessions(admin: asyncpg.Connection) -> None:
    await admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'app'")


def _recover_for_ever(server: Server) -> None:
    """A standby that takes no connections before recovery ends, which it never does."""
    signal_file = server.cluster.directory / "standby.signal"
    signal_file.touch()
    server.cluster.account.give(signal_file)
    options = ["-c", "hot_standby=off", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
    program = server.cluster.programs.directory / "postgres"
    server.child = start(
        [
            program,
            "-D",
            server.cluster.directory,
            "-p",
            str(server.port),
            *options,
        ],
        cwd=server.cluster.home,
        log=server.cluster.log,
        env=postgres.server_environment(),
        account=server.cluster.account,
    )
