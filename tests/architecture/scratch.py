"""Databases that are made for one question and dropped after it, and what of the service is derived from registries."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from typing import Any

import asyncpg

import migrations.metadata  # noqa: F401  # imports every domain's models
from app.core.db.entity import Base, TenantEntity
from tests.support.database import CHECKOUT, TestDatabase, recreate


@contextlib.contextmanager
def scratch_database(purpose: str) -> Iterator[TestDatabase]:
    """An empty database of the owner role, dropped afterwards. Blocking: use it outside the event loop."""
    name = f"fusionems_test_{CHECKOUT}_{purpose}"
    yield asyncio.run(recreate(name))
    asyncio.run(_drop(name))


async def _drop(name: str) -> None:
    connection = await asyncpg.connect(os.environ["TEST_ADMIN_DATABASE_URL"])
    try:
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()


def mapped_classes() -> list[type[Any]]:
    """Every mapped class of the service (not those of tests), by name of its table."""
    classes = [mapper.class_ for mapper in Base.registry.mappers if mapper.class_.__module__.startswith("app.")]
    return sorted(classes, key=lambda mapped: mapped.__tablename__)


def entities() -> list[type[TenantEntity]]:
    """Those that `uow.change` writes."""
    return [mapped for mapped in mapped_classes() if issubclass(mapped, TenantEntity)]
