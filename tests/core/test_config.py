"""Settings: production refuses to start half configured, and never prints a secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from app.core.config import Environment
from app.core.runtime import build_runtime
from app.core.settings import UnusableSettings
from app.registry import COMPOSITION, load_settings
from app.registry import ServiceSettings as Settings
from scripts.devtools.checkout import ROOT

COMPLETE: dict[str, Any] = {
    "environment": "production",
    "database_url": "postgresql://app:CANARY@db/fq",
    "system_database_url": "postgresql://system:CANARY@db/fq",
    "migration_database_url": "postgresql://owner:CANARY@db/fq",
    "jwt_keys_file": "/run/keys.json",
    "secret_key": "CANARYCANARYCANARYCANARYCANARYCANARYCANARYC=",
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


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "development")
    monkeypatch.setenv("DATABASE_URL", "postgresql://x")
    monkeypatch.setenv("REDIS_URL", "")
    assert load_settings().redis_url is None


def test_all_problems_are_told_at_once_in_plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "DATABASE_URL": "mysql://CANARY",
        "REDIS_URL": "CANARY",
        "SECRET_KEY": "CANARY",
        "PASSWORD_ROUNDS": "CANARY",
        "LOG_LEVEL": "CANARY",
        "RUN_JOBS": "CANARY",
        "FORWARDED_ALLOW_IPS": "CANARY",
        "DATABASE_POOL_SIZE": "0",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UnusableSettings) as refused:
        load_settings()
    told = {problem.split(" ")[0]: problem for problem in refused.value.problems}
    assert set(told) == {*wrong, "production"}
    assert told["DATABASE_POOL_SIZE"] == "DATABASE_POOL_SIZE must be a whole number from 1 to 200."
    assert told["PASSWORD_ROUNDS"] == "PASSWORD_ROUNDS must be a whole number from 4 to 16."
    assert told["LOG_LEVEL"] == "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR."
    assert "SYSTEM_DATABASE_URL" in told["production"] and "SECRET_KEY," not in told["production"]
    assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("CANARY", "must be an address such as https://app.example.com"),
        ("https://app:CANARY\uff03@host", "must be an address such as https://app.example.com"),
        ("https://[CANARY", "must be an address such as https://app.example.com"),
        ("https://host/?CANARY", "must have no query and no fragment, because links append to it"),
    ],
)
def test_a_wrong_address_is_told_without_it(monkeypatch: pytest.MonkeyPatch, address: str, told: str) -> None:
    monkeypatch.setenv("ENVIRONMENT", "development")
    monkeypatch.setenv("DATABASE_URL", "postgresql://x")
    monkeypatch.setenv("APP_URL", address)
    with pytest.raises(UnusableSettings) as refused:
        load_settings()
    assert refused.value.problems == (f"APP_URL {told}.",)


def test_a_wrong_environment_is_not_taken_for_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")
    with pytest.raises(UnusableSettings) as refused:
        load_settings()
    described = Settings.model_fields["database_url"].description
    assert set(refused.value.problems) == {
        "ENVIRONMENT must be one of development, test, production.",
        f"DATABASE_URL is not set: {described}.",
    }


@pytest.mark.parametrize("content", [None, "CANARY", "{}", '{"active": "k1", "keys": {"k1": "CANARY"}}'])
def test_a_file_of_keys_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "keys.json"
    if content is not None:
        file.write_text(content)
    settings = Settings.model_validate({**COMPLETE, "jwt_keys_file": file})
    with pytest.raises(UnusableSettings, match="JWT_KEYS_FILE") as refused:
        build_runtime(settings, COMPOSITION)
    assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize("module", ["app.worker", "scripts.seed_demo", "alembic current"])
def test_a_process_with_wrong_settings_says_so_and_ends(module: str) -> None:
    environment = {"PATH": os.environ["PATH"], "PASSWORD_ROUNDS": "CANARY"}
    ended = subprocess.run(
        [sys.executable, "-m", *module.split()], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("The settings are wrong:\n- ")
    assert "DATABASE_URL is not set" in ended.stderr
    assert "Traceback" not in ended.stderr and "CANARY" not in ended.stderr


def test_every_setting_is_described() -> None:
    """docs/configuration.md is generated from these."""
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
