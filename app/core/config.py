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


_NEEDED_IN_PRODUCTION = (
    "system_database_url",
    "migration_database_url",
    "jwt_keys_file",
    "secret_key",
    "s3_bucket",
    "ses_region",
)


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
    secret_key: SecretStr | None = Field(
        None, description="At least 32 bytes in base64: audit digests, refresh tokens, links; generated in development"
    )
    access_token_seconds: int = Field(600, ge=60, le=3600, description="Life of an access token")
    session_idle_seconds: int = Field(900, ge=60, description="A session that is not refreshed for so long ends")
    session_absolute_seconds: int = Field(43_200, ge=300, description="A session ends after this, however busy")
    invitation_hours: int = Field(72, ge=1, le=720, description="Life of an invitation")
    password_reset_minutes: int = Field(30, ge=5, le=1440, description="Life of a password reset link")
    forgot_password_milliseconds: int = Field(
        600, ge=0, le=10_000, description="Time that POST auth/password/forgot takes at least, whatever it found"
    )
    address_failures: int = Field(
        100, ge=5, description="Failed sign-ins of one address within 15 minutes (thrice that in a day) before it waits"
    )
    app_url: str = Field("http://localhost:8000", description="Where links in e-mails lead: the client app's address")
    audit_retention_years: int = Field(
        10, ge=10, le=100, description="Audit and access logs older than this are detached for archiving"
    )
    email_from: str = Field("FusionEMS <no-reply@localhost>", description="Sender of e-mails")
    ses_region: str | None = Field(
        None, description="AWS region of SES v2; without it e-mails are written to DATA_DIR/mail as .eml"
    )
    ses_configuration_set: str | None = Field(None, description="SES configuration set that publishes notices to SNS")
    ses_endpoint_url: str | None = Field(None, description="Another address of the SES API (VPC endpoint, tests)")
    sns_topic_arn: str | None = Field(
        None, description="The one SNS topic whose SES notices are taken and whose subscription is confirmed"
    )
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
            for name in (
                "system_database_url",
                "migration_database_url",
                "jwt_keys_file",
                "secret_key",
                "s3_bucket",
                "ses_region",
            )
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
