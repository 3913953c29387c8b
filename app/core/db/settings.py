"""Settings of the database and of Redis."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.core.settings import SettingsGroup


def _postgres(value: SecretStr) -> SecretStr:
    try:
        known = make_url(value.get_secret_value()).get_backend_name() in ("postgresql", "postgres")
    except (ArgumentError, ValueError):
        known = False
    if not known:
        example = "postgresql://user:password@host:5432/name"
        raise PydanticCustomError("database_url", f"must be the address of a PostgreSQL database, such as {example}")
    return value


def _redis(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
        example = "redis://host:6379/0"
        raise PydanticCustomError("redis_url", f"must be the address of a Redis or Valkey, such as {example}")
    return value


PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis)]


class DatabaseSettings(SettingsGroup):
    heading: ClassVar[str] = "Database"
    needed_in_production: ClassVar[tuple[str, ...]] = ("system_database_url", "migration_database_url")

    database_url: PostgresUrl = Field(description="PostgreSQL as the application role (row-level security binds it)")
    system_database_url: PostgresUrl | None = Field(
        None, description="PostgreSQL as the system role: login, outbox relay, inbox; required in production"
    )
    migration_database_url: PostgresUrl | None = Field(
        None, description="PostgreSQL as the owner role; used by migrations only"
    )
    database_pool_size: int = Field(20, ge=1, le=200, description="Connections of the application role per process")
    redis_url: RedisUrl | None = Field(None, description="Redis or Valkey; without it other processes poll the outbox")
