"""Migration drift: does the migrated database equal the declared entities? `python -m scripts.check_migrations`.

It makes a scratch database on the server of MIGRATION_DATABASE_URL, migrates it up, down and up again, and compares.
"""

from __future__ import annotations

import asyncio
import os
import sys

import asyncpg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from migrations.metadata import include_object, metadata

SCRATCH = "fusionems_drift_check"


def _dsn(variable: str, database: str, driver: str) -> str:
    url = make_url(os.environ[variable]).set(drivername=driver, database=database)
    return url.render_as_string(hide_password=False)


async def _create(name: str) -> None:
    connection = await asyncpg.connect(os.environ["TEST_ADMIN_DATABASE_URL"])
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}" OWNER fusionems_owner')
    finally:
        await connection.close()


async def _drop(name: str) -> None:
    connection = await asyncpg.connect(os.environ["TEST_ADMIN_DATABASE_URL"])
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


def _compare(connection: Connection) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True, "include_object": include_object}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata()))


async def _differences(name: str) -> list[object]:
    engine = create_async_engine(_dsn("MIGRATION_DATABASE_URL", name, "postgresql+asyncpg"))
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_compare)
    finally:
        await engine.dispose()


def main() -> int:
    asyncio.run(_create(SCRATCH))
    try:
        config = Config("alembic.ini")
        url = _dsn("MIGRATION_DATABASE_URL", SCRATCH, "postgresql")
        config.cmd_opts = type("Options", (), {"x": [f"url={url}"]})()
        command.upgrade(config, "head")
        command.downgrade(config, "base")
        command.upgrade(config, "head")
        differences = asyncio.run(_differences(SCRATCH))
    finally:
        asyncio.run(_drop(SCRATCH))
    for difference in differences:
        print(f"drift: {difference}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
