"""Real servers for the tooling's own tests: every PostgreSQL that this machine has, each in a directory of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.devtools import postgres, valkey
from scripts.devtools.checkout import ROOT, Checkout
from scripts.devtools.console import DevError
from scripts.devtools.postgres_programs import find_programs
from scripts.devtools.processes import server_account
from scripts.devtools.services import servers_home


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """This checkout with an empty data directory; as root its servers live elsewhere, which is removed too."""
    checkout = Checkout(ROOT, tmp_path_factory.mktemp("data"))
    checkout.make_directories()
    yield checkout
    account = server_account(ROOT)
    if account.is_other:
        shutil.rmtree(servers_home(checkout, account))


@pytest.fixture(scope="module", params=["embedded", "system"])
def cluster(request: pytest.FixtureRequest, checkout: Checkout) -> postgres.Cluster:
    """A cluster that is not made yet, for the PostgreSQL that a wheel brings and for the system's."""
    account = server_account(ROOT)
    home = servers_home(checkout, account) / request.param
    home.mkdir()
    home.chmod(0o755 if account.is_other else 0o700)
    try:
        programs = find_programs(checkout, account, home, request.param, None)
    except DevError as error:
        pytest.skip(f"no {request.param} PostgreSQL to test with: {error.problem}")
    return postgres.Cluster(
        home=home,
        record=checkout.data_dir / f"{request.param}.json",
        log=checkout.logs / f"{request.param}.log",
        account=account,
        programs=programs,
        superuser_password="superuser-password",
        extra_settings={"fsync": "off"},
    )


@pytest.fixture
def valkey_server(checkout: Checkout) -> valkey.Valkey:
    account = server_account(ROOT)
    home = servers_home(checkout, account)
    return valkey.Valkey(
        home=home,
        record=checkout.data_dir / "valkey.json",
        log=checkout.logs / "valkey.log",
        account=account,
        program=valkey.find_program(checkout, account, home),
    )


@pytest.fixture
def stub_root(tmp_path: Path) -> Path:
    """A checkout with this one's packages and scripts, and an app that has nothing but its health."""
    root = tmp_path / "checkout"
    (root / "app").mkdir(parents=True)
    (root / "app" / "__init__.py").touch()
    (root / "app" / "main.py").write_text(STUB_APP)
    (root / "app" / "server.py").write_text(STUB_SERVER)
    (root / ".venv").symlink_to(ROOT / ".venv")
    (root / "scripts").symlink_to(ROOT / "scripts")
    return root


STUB_APP = """
import os
import asyncpg
from fastapi import FastAPI


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        session = await asyncpg.connect(os.environ["DATABASE_URL"])
        try:
            return {"role": await session.fetchval("SELECT current_user")}
        finally:
            await session.close()

    return app
"""

STUB_SERVER = """
import argparse
import uvicorn
from app.main import create_app

parser = argparse.ArgumentParser()
parser.add_argument("--host")
parser.add_argument("--port", type=int)
given = parser.parse_args()
uvicorn.run(create_app(), host=given.host, port=given.port)
"""
