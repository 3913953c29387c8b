"""One database per test worker, built by running the migrations as the owner."""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

ROOT = Path(__file__).resolve().parents[2]
CHECKOUT = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]  # two checkouts may share one cluster


@dataclass(frozen=True)
class TestDatabase:
    """DSNs of the worker's database: `admin` is a superuser, for looking at what the roles may not."""

    __test__ = False
    app: str
    owner: str
    system: str
    admin: str


def _dsn(variable: str, database: str) -> str:
    url = make_url(os.environ[variable]).set(drivername="postgresql", database=database)
    return url.render_as_string(hide_password=False)


TEMPLATE = "TEST_DATABASE_TEMPLATE"
"""The variable that names a migrated database. Each database of the tests is then a copy of it."""


async def recreate(name: str, template: str = "template1") -> TestDatabase:
    """Drop and create the database; roles exist already (scripts/dev.py made them)."""
    connection = await asyncpg.connect(os.environ["TEST_ADMIN_DATABASE_URL"])
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}" OWNER fusionems_owner TEMPLATE "{template}"')
    finally:
        await connection.close()
    return TestDatabase(
        app=_dsn("DATABASE_URL", name),
        owner=_dsn("MIGRATION_DATABASE_URL", name),
        system=_dsn("SYSTEM_DATABASE_URL", name),
        admin=_dsn("TEST_ADMIN_DATABASE_URL", name),
    )


def alembic_config(database: TestDatabase) -> Config:
    config = Config(ROOT / "alembic.ini")
    config.cmd_opts = type("Options", (), {"x": [f"url={database.owner}"]})()
    return config


def build_database(name: str) -> TestDatabase:
    """Blocking: called outside the event loop."""
    if template := os.environ.get(TEMPLATE):
        return asyncio.run(recreate(name, template))
    database = asyncio.run(recreate(name))
    command.upgrade(alembic_config(database), "head")
    return database


def shared_dir() -> Path | None:
    """The reference material beside the project, where it is present."""
    directory = Path(os.environ.get("SHARED_DIR", ROOT.parent / "shared"))
    return directory if directory.is_dir() else None
