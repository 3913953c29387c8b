"""Settings: production refuses to start half configured, and never prints a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from app.core.config import Environment
from app.registry import ServiceSettings as Settings
from app.registry import load_settings

COMPLETE: dict[str, Any] = {
    "environment": "production",
    "database_url": "postgresql://app:CANARY@db/fq",
    "system_database_url": "postgresql://system:CANARY@db/fq",
    "migration_database_url": "postgresql://owner:CANARY@db/fq",
    "jwt_keys_file": "/run/keys.json",
    "secret_key": "CANARYCANARYCANARYCANARYCANARYCANARYCANARYCA==",
    "s3_bucket": "objects",
    "secrets_key_file": "/run/secret-keys.json",
    "ses_region": "us-east-1",
    "app_url": "https://app.fusionems.example/",
}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_production_is_the_default_and_can_be_complete() -> None:
    settings = Settings.model_validate({name: value for name, value in COMPLETE.items() if name != "environment"})
    assert settings.is_production and settings.password_rounds == 12


@pytest.mark.parametrize("missing", [name for name in COMPLETE if name not in ("environment", "database_url")])
def test_production_names_what_it_needs(missing: str) -> None:
    with pytest.raises(ValidationError, match=missing.upper()):
        Settings.model_validate({name: value for name, value in COMPLETE.items() if name != missing})


def test_production_refuses_cheap_passwords() -> None:
    with pytest.raises(ValidationError, match="PASSWORD_ROUNDS"):
        Settings.model_validate({**COMPLETE, "password_rounds": 11})


def test_development_needs_a_database_and_nothing_else() -> None:
    assert Settings(environment=Environment.DEVELOPMENT, database_url=SecretStr("postgresql://x")).s3_bucket is None
    with pytest.raises(ValidationError):
        Settings.model_validate({"environment": "development"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("environment", "staging"),
        ("access_token_seconds", 0),
        ("access_token_seconds", 10**9),
        ("password_rounds", 3),
        ("database_pool_size", 0),
        ("max_body_bytes", 0),
        ("app_url", "app.fusionems.example"),
        ("app_url", "javascript:alert(1)"),
        ("app_url", "https://"),
        ("app_url", "https://user@app.fusionems.example"),
        ("app_url", "https://app.fusionems.example/?a=1"),
        ("app_url", "https://app.fusionems.example/#a"),
    ],
)
def test_senseless_values_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({**COMPLETE, name: value})


def test_secrets_are_not_printed() -> None:
    assert "CANARY" not in repr(Settings.model_validate(COMPLETE))
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({**COMPLETE, "s3_bucket": None, "password_rounds": 4})
    assert "CANARY" not in str(refused.value)


def test_environment_is_read_and_cannot_be_changed_later(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name.upper(), value)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    settings = load_settings()
    assert settings.data_dir == tmp_path
    with pytest.raises(ValidationError):
        settings.s3_bucket = "another"  # type: ignore[misc]


def test_every_setting_is_described() -> None:
    """docs/configuration.md is generated from these."""
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
