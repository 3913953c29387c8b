"""Alembic's entry: connects as the owner, with lock and statement timeouts for every migration."""

from __future__ import annotations

import asyncio
import os
from typing import Any, Literal

from alembic import context
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from app.core.db.columns import EnumText
from app.core.settings import UnusableSettings
from migrations.metadata import include_object, metadata

LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "120s"


def _url() -> str:
    given = context.get_x_argument(as_dictionary=True).get("url") or os.environ.get("MIGRATION_DATABASE_URL")
    if not given:
        raise UnusableSettings(["MIGRATION_DATABASE_URL is not set: the database as its owner."])
    return make_url(given).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def _render_item(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Migrations do not import the application's types."""
    return "sa.Text()" if kind == "type" and isinstance(item, EnumText) else False


def _migrate(connection: Connection) -> None:
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    connection.exec_driver_sql(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata(),
        include_object=include_object,
        render_item=_render_item,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _run() -> None:
    engine = create_async_engine(_url())
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)
    await engine.dispose()


asyncio.run(_run())
