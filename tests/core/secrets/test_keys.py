"""The keepers of keys: one contract for the file and for KMS; what of KMS's answers is final and what passes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import orjson
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from moto import mock_aws
from pydantic import SecretStr, ValidationError

from app.core.config import Environment
from app.core.errors import ServiceUnavailable
from app.core.ids import TenantId
from app.core.runtime import build_runtime
from app.core.secrets.errors import SecretUnreadable
from app.core.secrets.gateway import SECRET_KEYS, FileKeys, KeyEncryption, KeyFile, KeyKeeper, KmsKeys, bound
from app.core.secrets.sealing import Place, is_under_active_key, seal, unseal
from app.registry import COMPOSITION, ServiceSettings

PLACE = Place(TenantId(uuid.uuid4()), uuid.uuid4(), "processor_key", 1)
CONTEXT = PLACE.context()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield


def kms_keys() -> KmsKeys:
    client = boto3.client("kms", region_name="us-east-1")
    return KmsKeys(client, client.create_key()["KeyMetadata"]["KeyId"])


@pytest.fixture(params=["file", "kms"])
def keeper(request: pytest.FixtureRequest, aws: None) -> KeyKeeper:
    return kms_keys() if request.param == "kms" else FileKeys(KeyFile.generate())


async def test_a_data_key_opens_under_its_key_in_its_context(keeper: KeyKeeper) -> None:
    made, other = await keeper.new_data_key(CONTEXT), await keeper.new_data_key(CONTEXT)
    assert len(made.plain) == 32 and made.plain != other.plain
    assert made.keeper == keeper.name and keeper.is_active(made.key)
    assert made.plain not in made.wrapped and str(made.plain) not in repr(made)
    assert await keeper.open_data_key(made.key, made.wrapped, CONTEXT) == made.plain


@pytest.mark.parametrize("changed", sorted(CONTEXT))
async def test_another_context_does_not_open_it(keeper: KeyKeeper, changed: str) -> None:
    made = await keeper.new_data_key(CONTEXT)
    with pytest.raises(SecretUnreadable):
        await keeper.open_data_key(made.key, made.wrapped, {**CONTEXT, changed: "another"})
    with pytest.raises(SecretUnreadable):
        await keeper.open_data_key(
            made.key, made.wrapped, {name: value for name, value in CONTEXT.items() if name != changed}
        )


async def test_an_altered_or_foreign_data_key_does_not_open(keeper: KeyKeeper) -> None:
    made = await keeper.new_data_key(CONTEXT)
    for wrapped in (made.wrapped[:-1] + bytes([made.wrapped[-1] ^ 1]), b"", made.wrapped[:8]):
        with pytest.raises((SecretUnreadable, ServiceUnavailable)):
            await keeper.open_data_key(made.key, wrapped, CONTEXT)
    with pytest.raises(SecretUnreadable):
        await keeper.open_data_key("no such key", made.wrapped, CONTEXT)


async def test_kms_that_is_not_reached_is_a_503(aws: None) -> None:
    away = boto3.client(
        "kms",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:9",
        config=Config(connect_timeout=1, retries={"total_max_attempts": 1}),
    )
    keys = KmsKeys(away, "alias/secrets")
    with pytest.raises(ServiceUnavailable):
        await keys.new_data_key(CONTEXT)
    with pytest.raises(ServiceUnavailable):
        await keys.open_data_key("alias/secrets", b"wrapped", CONTEXT)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("InvalidCiphertextException", SecretUnreadable),
        ("IncorrectKeyException", SecretUnreadable),
        ("DisabledException", ServiceUnavailable),
        ("KMSInvalidStateException", ServiceUnavailable),
        ("AccessDeniedException", ServiceUnavailable),
        ("ThrottlingException", ServiceUnavailable),
    ],
)
async def test_what_kms_answers_is_final_or_passes(code: str, error: type[Exception]) -> None:
    """A key that is switched off may be switched on again: what it encrypted is not lost."""
    client = boto3.client("kms", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as answers:
        answers.add_client_error("decrypt", code, "CANARY")
        with pytest.raises(error) as refused:
            await KmsKeys(client, "alias/secrets").open_data_key("alias/secrets", b"wrapped", CONTEXT)
        answers.add_client_error("generate_data_key", code, "CANARY")
        with pytest.raises(ServiceUnavailable):
            await KmsKeys(client, "alias/secrets").new_data_key(CONTEXT)
    assert "CANARY" not in str(refused.value)


async def test_kms_follows_on_a_key_file(aws: None) -> None:
    """What the file encrypted opens still, and counts as stale; without the file it does not open."""
    file = FileKeys(KeyFile.generate())
    kms = kms_keys()
    both = KeyEncryption(kms, file)
    old = await seal(KeyEncryption(file), PLACE, "value")
    assert await unseal(both, PLACE, old) == "value"
    assert not is_under_active_key(both, old)
    new = await seal(both, PLACE, "value")
    assert is_under_active_key(both, new)
    assert await unseal(KeyEncryption(kms), PLACE, new) == "value"
    with pytest.raises(SecretUnreadable):
        await unseal(KeyEncryption(kms), PLACE, old)


@pytest.mark.parametrize("value", ["x", "", "ä\x00€\U0001f511", "-----BEGIN KEY-----\n" * 800])
async def test_any_text_comes_back_as_it_was(value: str) -> None:
    keys = KeyEncryption(FileKeys(KeyFile.generate()))
    sealed = await seal(keys, PLACE, value)
    assert await unseal(keys, PLACE, sealed) == value
    assert await seal(keys, PLACE, value) != sealed


def test_contexts_are_told_apart() -> None:
    """No name or value runs into the next one."""
    contexts = [{"a": "bc"}, {"ab": "c"}, {"a": "b", "c": ""}, {"a": "", "b": "c"}, {}, {"a": "b", "c": "d"}]
    assert len({bound(context) for context in contexts}) == len(contexts)
    assert bound({"b": "1", "a": "2"}) == bound({"a": "2", "b": "1"})


@pytest.mark.parametrize(
    "content",
    [
        {"active": "k1", "keys": {}},
        {"active": "k1", "keys": {"k1": "CANARY"}},
        {"active": "k1", "keys": {"k1": "Q0FOQVJZ"}},
        {"active": "k1", "keys": {**KeyFile.generate().keys, "k2": "CANARY!"}},
        {"active": "k1", "keys": KeyFile.generate().keys, "note": "CANARY"},
        {"keys": KeyFile.generate().keys},
        [],
    ],
)
def test_a_bad_key_file_is_refused_without_quoting_it(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(orjson.dumps(content))
    with pytest.raises(ValidationError) as refused:
        KeyFile.load(file)
    assert "CANARY" not in str(refused.value) and "Q0FOQVJZ" not in str(refused.value)


def development(tmp_path: Path, **changes: Any) -> ServiceSettings:
    return ServiceSettings(
        environment=Environment.DEVELOPMENT,
        database_url=SecretStr("postgresql://x/y"),
        data_dir=tmp_path,
        password_rounds=4,
        **changes,
    )


async def test_the_setting_decides_where_the_key_is(tmp_path: Path, aws: None) -> None:
    """A file that is made in development, a file that is given, KMS, or KMS after a file."""
    client = boto3.client("kms", region_name="us-east-1")
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    file = tmp_path / "keys.json"
    file.write_bytes(orjson.dumps(KeyFile(active="k7", keys={"k7": KeyFile.generate().keys["k1"]}).model_dump()))
    for given, keeper, key in (
        ({}, "file", "k1"),
        ({"secrets_key_file": file}, "file", "k7"),
        ({"secrets_kms_key_id": key_id}, "kms", key_id),
        ({"secrets_kms_key_id": key_id, "secrets_key_file": file}, "kms", key_id),
    ):
        runtime = build_runtime(development(tmp_path, **given), COMPOSITION)
        made = await (await runtime.gateways.reach(SECRET_KEYS)).new_data_key(CONTEXT)
        assert (made.keeper, made.key) == (keeper, key)
        await runtime.close()


async def test_two_processes_of_one_data_directory_share_the_key(tmp_path: Path) -> None:
    first, second = (build_runtime(development(tmp_path), COMPOSITION) for _ in range(2))
    sealed = await seal(first.gateways.get(SECRET_KEYS), PLACE, "value")
    assert await unseal(second.gateways.get(SECRET_KEYS), PLACE, sealed) == "value"
    await first.close()
    await second.close()
