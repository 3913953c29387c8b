"""Settings of the database and of Redis."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr

from app.core.settings import SettingsGroup


class DatabaseSettings(SettingsGroup):
    heading: ClassVar[str] = "Database"
    needed_in_production: ClassVar[tuple[str, ...]] = ("system_database_url", "migration_database_url")

    database_url: SecretStr = Field(description="PostgreSQL as the application role (row-level security binds it)")
    system_database_url: SecretStr | None = Field(
        None, description="PostgreSQL as the system role: login, outbox relay, inbox; required in production"
    )
    migration_database_url: SecretStr | None = Field(
        None, description="PostgreSQL as the owner role; used by migrations only"
    )
    database_pool_size: int = Field(20, ge=1, le=200, description="Connections of the application role per process")
    redis_url: SecretStr | None = Field(None, description="Redis or Valkey; without it other processes poll the outbox")
