"""Development secrets: made once whoever asks first, private, and kept."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest
from pydantic import SecretStr

from app.core.auth.tokens import SigningKeys
from app.core.config import Environment, Settings
from app.core.ids import TenantId, new_id
from app.core.permissions import Role
from app.core.runtime import build_runtime, development_secret
from app.core.settings import UnusableSettings
from app.core.storage.gateway import FilesystemStore
from app.registry import COMPOSITION


def test_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    made: list[str] = []

    def make() -> str:
        made.append(f"secret {len(made)}")
        return made[-1]

    assert [development_secret(tmp_path / "new", "a", make) for _ in range(3)] == ["secret 0"] * 3
    assert development_secret(tmp_path / "new", "b", make) == "secret 1"
    assert development_secret(tmp_path / "new", "a", make) == "secret 0"
    assert len(made) == 2


def test_secrets_are_for_the_owner_alone(tmp_path: Path) -> None:
    development_secret(tmp_path, "a", lambda: "x")
    file = tmp_path / "dev-secrets.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert orjson.loads(file.read_bytes()) == {"a": "x"}
    assert sorted(path.name for path in tmp_path.iterdir()) == [".dev-secrets.lock", "dev-secrets.json"]


def test_processes_that_race_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda number: development_secret(tmp_path, "a", lambda: number), range(64)))
    assert len(set(found)) == 1


def development(tmp_path: Path, **changes: object) -> Settings:
    given = {
        "environment": Environment.DEVELOPMENT,
        "database_url": SecretStr("postgresql://x/y"),
        "data_dir": tmp_path,
    }
    return Settings.model_validate({**given, "password_rounds": 4, "redis_url": None, "s3_bucket": None, **changes})


async def test_two_processes_of_one_data_directory_accept_each_others_tokens(tmp_path: Path) -> None:
    first, second = build_runtime(development(tmp_path), COMPOSITION), build_runtime(development(tmp_path), COMPOSITION)
    token = first.tokens.issue(
        user_id=new_id(), tenant_id=TenantId(new_id()), role=Role.EMS, is_reviewer=False, session_id=new_id()
    )
    assert second.tokens.verify(token).role is Role.EMS
    assert isinstance(first.objects, FilesystemStore)
    assert first.database.checked_out() == 0, "nothing is connected before it is used"
    await first.close()
    await second.close()


async def test_keys_file_is_used_and_a_bad_one_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(orjson.dumps(SigningKeys.generate().model_dump()))
    runtime = build_runtime(development(tmp_path, jwt_keys_file=file), COMPOSITION)
    assert "jwt_keys" not in orjson.loads((tmp_path / "dev-secrets.json").read_bytes())
    await runtime.close()
    file.write_bytes(b'{"active": "k1", "keys": {}}')
    with pytest.raises(UnusableSettings):
        build_runtime(development(tmp_path, jwt_keys_file=file), COMPOSITION)
