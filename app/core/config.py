"""Settings of the kernel, read once from the environment; docs/configuration.md is generated from the declarations."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from app.core.audit.settings import AuditSettings
from app.core.auth.settings import AuthSettings
from app.core.db.settings import DatabaseSettings
from app.core.keys import SECRET_BYTES
from app.core.outbox.settings import OutboxSettings
from app.core.secrets.settings import SecretSettings
from app.core.serving.settings import ServingSettings
from app.core.settings import SettingsGroup, groups_of
from app.core.storage.settings import StorageSettings

_LEAST_ROUNDS = 12


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def _in_capitals(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _of_32_bytes(value: SecretStr) -> SecretStr:
    try:
        known = base64.b64decode(value.get_secret_value(), validate=True)
    except ValueError:
        known = b""
    if len(known) < SECRET_BYTES:
        raise PydanticCustomError("secret_key", f"must be at least {SECRET_BYTES} bytes in base64")
    return value


class ProcessSettings(SettingsGroup):
    heading: ClassVar[str] = "Process"
    needed_in_production: ClassVar[tuple[str, ...]] = ("secret_key",)

    environment: Environment = Field(Environment.PRODUCTION, description="development, test or production")
    secret_key: Annotated[SecretStr, AfterValidator(_of_32_bytes)] | None = Field(
        None, description="At least 32 bytes in base64: audit digests, refresh tokens, links; generated in development"
    )
    max_body_bytes: int = Field(1_048_576, ge=1024, description="Largest request body; larger ones answer 413")
    run_jobs: bool = Field(True, description="Run jobs and the outbox relay inside this process")
    log_level: Annotated[LogLevel, BeforeValidator(_in_capitals)] = Field(
        LogLevel.INFO, description="DEBUG, INFO, WARNING or ERROR"
    )


class Settings(
    ProcessSettings,
    ServingSettings,
    DatabaseSettings,
    StorageSettings,
    AuthSettings,
    SecretSettings,
    AuditSettings,
    OutboxSettings,
):
    """What the kernel reads. A process reads `registry.ServiceSettings`, to which the domains add their groups."""

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        wanting = self.wanting(dict(self))
        if wanting:
            raise ValueError("; ".join(wanting))
        return self

    @classmethod
    def wanting(cls, given: Mapping[str, Any], wrong: Collection[str] = ()) -> list[str]:
        if "environment" in wrong or given.get("environment", Environment.PRODUCTION) != Environment.PRODUCTION:
            return []
        needed = [name for group in groups_of(cls) for name in group.needed_in_production]
        missing = [name.upper() for name in needed if given.get(name) is None and name not in wrong]
        if given.get("secrets_kms_key_id") is None and given.get("secrets_key_file") is None:
            missing.append("SECRETS_KMS_KEY_ID or SECRETS_KEY_FILE")
        wanting = [f"production needs {', '.join(missing)}"] if missing else []
        if "password_rounds" not in wrong and int(given.get("password_rounds", _LEAST_ROUNDS)) < _LEAST_ROUNDS:
            wanting.append(f"production needs PASSWORD_ROUNDS of at least {_LEAST_ROUNDS}")
        return wanting

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION
