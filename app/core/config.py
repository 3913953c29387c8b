"""Settings of the kernel, read once from the environment; docs/configuration.md is generated from the declarations."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Self

from pydantic import Field, SecretStr, model_validator

from app.core.audit.settings import AuditSettings
from app.core.auth.settings import AuthSettings
from app.core.db.settings import DatabaseSettings
from app.core.secrets.settings import SecretSettings
from app.core.serving.settings import ServingSettings
from app.core.settings import SettingsGroup, groups_of
from app.core.storage.settings import StorageSettings


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class ProcessSettings(SettingsGroup):
    heading: ClassVar[str] = "Process"
    needed_in_production: ClassVar[tuple[str, ...]] = ("secret_key",)

    environment: Environment = Field(Environment.PRODUCTION, description="development, test or production")
    secret_key: SecretStr | None = Field(
        None, description="At least 32 bytes in base64: audit digests, refresh tokens, links; generated in development"
    )
    max_body_bytes: int = Field(1_048_576, ge=1024, description="Largest request body; larger ones answer 413")
    run_jobs: bool = Field(True, description="Run jobs and the outbox relay inside this process")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")


class Settings(
    ProcessSettings, ServingSettings, DatabaseSettings, StorageSettings, AuthSettings, SecretSettings, AuditSettings
):
    """What the kernel reads. A process reads `registry.ServiceSettings`, to which the domains add their groups."""

    @model_validator(mode="after")
    def _production_is_complete(self) -> Self:
        if self.environment is not Environment.PRODUCTION:
            return self
        needed = [name for group in groups_of(type(self)) for name in group.needed_in_production]
        missing = [name.upper() for name in needed if getattr(self, name) is None]
        if self.secrets_kms_key_id is None and self.secrets_key_file is None:
            missing.append("SECRETS_KMS_KEY_ID or SECRETS_KEY_FILE")
        if missing:
            raise ValueError(f"production needs {', '.join(missing)}")
        if self.password_rounds < 12:
            raise ValueError("production needs PASSWORD_ROUNDS of at least 12")
        return self

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION
