"""Where a measurement writes: a database of its own, made by the migrations, and a fresh agency with one medic."""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

from app.core.config import Settings
from scripts.provision_tenant import provision
from scripts.seed_demo import PROFILE

ROOT = Path(__file__).resolve().parents[1]
VARIABLES = ("DATABASE_URL", "SYSTEM_DATABASE_URL", "MIGRATION_DATABASE_URL")


@contextlib.contextmanager
def scratch_database() -> Iterator[dict[str, str]]:
    """The three DSNs, as environment variables, of a database that is dropped afterwards.

    Without TEST_ADMIN_DATABASE_URL nobody may create one. Then the database of DATABASE_URL is used, and the rows stay.
    Raises SystemExit, with what to do, when DATABASE_URL is not set.
    """
    if "DATABASE_URL" not in os.environ:
        raise SystemExit(
            "DATABASE_URL is not set. `make bench ARGS=list` names the measurements, and brings a database."
        )
    given = {name: os.environ.get(name) or os.environ["DATABASE_URL"] for name in VARIABLES}
    admin = os.environ.get("TEST_ADMIN_DATABASE_URL")
    if admin is None:
        yield given
        return
    name = f"fusionems_bench_{uuid.uuid4().hex[:12]}"
    asyncio.run(_execute(admin, f'CREATE DATABASE "{name}" OWNER fusionems_owner'))
    try:
        dsns = {variable: dsn_of(dsn, database=name) for variable, dsn in given.items()}
        config = Config(ROOT / "alembic.ini")
        config.cmd_opts = type("Options", (), {"x": [f"url={dsns['MIGRATION_DATABASE_URL']}"]})()
        command.upgrade(config, "head")
        yield dsns
    finally:
        asyncio.run(_execute(admin, f'DROP DATABASE "{name}" WITH (FORCE)'))


def dsn_of(dsn: str, *, database: str | None = None, port: int | None = None) -> str:
    """`dsn` for asyncpg, pointed at another database, or at a port of this machine."""
    url = make_url(dsn).set(drivername="postgresql")
    if database is not None:
        url = url.set(database=database)
    if port is not None:
        url = url.set(host="127.0.0.1", port=port)
    return url.render_as_string(hide_password=False)


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn_of(dsn))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@dataclass(frozen=True)
class Medic:
    """The person who charts, with the fields that the login asks for."""

    tenant_slug: str
    email: str
    password: str


async def found_agency(settings: Settings, role: str = "ems") -> Medic:
    """A fresh tenant with one user of the role, and the administrator whom every agency needs."""
    slug = f"bench-{uuid.uuid4().hex[:12]}"
    email = f"medic@{slug}.example"
    users = [
        {"email": email, "display_name": "Max Medic", "role": role},
        {"email": f"admin@{slug}.example", "display_name": "Ada Admin", "role": "admin"},
    ]
    _, passwords = await provision(settings, {**PROFILE, "slug": slug}, users)
    return Medic(slug, email, passwords[email])
