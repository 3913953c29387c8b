"""Settings, read once from the environment; docs/configuration.md is generated from this declaration."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    environment: Environment = Field(Environment.PRODUCTION, description="development, test or production")
    database_url: SecretStr = Field(description="PostgreSQL as the application role (row-level security binds it)")
    system_database_url: SecretStr | None = Field(
        None, description="PostgreSQL as the system role: login, outbox relay, inbox; required in production"
    )
    migration_database_url: SecretStr | None = Field(
        None, description="PostgreSQL as the owner role; used by migrations only"
    )
    redis_url: SecretStr | None = Field(None, description="Redis or Valkey; without it other processes poll the outbox")
    data_dir: Path = Field(Path(".data"), description="Objects and generated development secrets")
    s3_bucket: str | None = Field(None, description="Object store; without it objects live under DATA_DIR/objects")
    nemsis_schema_dir: Path | None = Field(
        None, description="Directory that holds the official NEMSIS XSDs, one folder per build"
    )
    jwt_issuer: str | None = Field(None, description="Issuer written into and required of access tokens")
    jwt_keys_file: Path | None = Field(
        None, description="JSON {active, keys: {kid: PEM}} of ES256 keys; generated in development"
    )
    access_token_seconds: int = Field(3600, ge=60, le=43_200, description="Life of an access token")
    password_rounds: int = Field(12, ge=4, le=16, description="bcrypt cost; fewer than 12 are refused in production")
    database_pool_size: int = Field(20, ge=1, le=200, description="Connections of the application role per process")
    max_body_bytes: int = Field(1_048_576, ge=1024, description="Largest request body; larger ones answer 413")
    run_jobs: bool = Field(True, description="Run jobs and the outbox relay inside this process")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    @model_validator(mode="after")
    def _production_is_complete(self) -> Self:
        if self.environment is not Environment.PRODUCTION:
            return self
        missing = [
            name.upper()
            for name in ("system_database_url", "migration_database_url", "jwt_keys_file", "s3_bucket")
            if getattr(self, name) is None
        ]
        if missing:
            raise ValueError(f"production needs {', '.join(missing)}")
        if self.password_rounds < 12:
            raise ValueError("production needs PASSWORD_ROUNDS of at least 12")
        return self

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION


def load_settings() -> Settings:
    """Read the environment. Raises pydantic.ValidationError naming every missing or bad variable."""
    return Settings()
