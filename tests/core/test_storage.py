"""One contract for every object store, and what is each adapter's own."""

from __future__ import annotations

import asyncio
import os
import stat
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from app.core.errors import NotFound, ServiceUnavailable
from app.core.ids import TenantId
from app.core.keys import Keyring
from app.core.storage.gateway import FilesystemStore, ObjectStore, S3Store, object_key
from app.core.storage.links import LinkSigner

TENANT = TenantId(uuid.UUID(int=7))
BUCKET = "fusionems-test"
SIGNER = LinkSigner(Keyring(bytes(range(32))))


@pytest.fixture(params=["filesystem", "s3"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ObjectStore]:
    if request.param == "filesystem":
        yield FilesystemStore(tmp_path / "objects", SIGNER)
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield S3Store(BUCKET, client)


def a_key(*segments: str) -> str:
    return object_key(TENANT, *(segments or ("attachments", uuid.uuid4().hex)))


async def test_what_was_put_is_got(store: ObjectStore) -> None:
    key, content = a_key(), os.urandom(300_000)
    await store.put(key, content, "application/octet-stream")
    assert await store.get(key) == content
    assert await store.exists(key) is True


@pytest.mark.parametrize("content", [b"", b"\x00", b"\r\n", "\N{AMBULANCE}".encode()])
async def test_content_is_kept_byte_for_byte(store: ObjectStore, content: bytes) -> None:
    key = a_key()
    await store.put(key, content, "text/plain")
    assert await store.get(key) == content


async def test_missing_object_is_not_found(store: ObjectStore) -> None:
    key = a_key()
    assert await store.exists(key) is False
    with pytest.raises(NotFound):
        await store.get(key)


async def test_prefix_of_an_object_is_no_object(store: ObjectStore) -> None:
    await store.put(a_key("charts", "one", "narrative"), b"x", "text/plain")
    prefix = a_key("charts", "one")
    assert await store.exists(prefix) is False
    with pytest.raises(NotFound):
        await store.get(prefix)


async def test_second_put_replaces_the_first_whole(store: ObjectStore) -> None:
    key = a_key()
    await store.put(key, b"a" * 100_000, "text/plain")
    await store.put(key, b"b", "text/plain")
    assert await store.get(key) == b"b"


async def test_readers_of_a_file_see_one_version_or_the_other(tmp_path: Path) -> None:
    store, key = FilesystemStore(tmp_path, SIGNER), a_key()
    versions = [bytes([letter]) * 200_000 for letter in b"abcdef"]
    await store.put(key, versions[0], "text/plain")
    puts = [store.put(key, version, "text/plain") for version in versions]
    seen, _ = await asyncio.gather(asyncio.gather(*(store.get(key) for _ in range(12))), asyncio.gather(*puts))
    assert set(seen) | {await store.get(key)} <= set(versions)


async def test_keys_do_not_meet(store: ObjectStore) -> None:
    keys = [a_key("a"), a_key("a.b"), a_key("a-b"), a_key("b", "a"), object_key(TenantId(uuid.UUID(int=8)), "b")]
    for number, key in enumerate(keys):
        await store.put(key, str(number).encode(), "text/plain")
    assert [await store.get(key) for key in keys] == [b"0", b"1", b"2", b"3", b"4"]


def files_below(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


HOSTILE = [
    "..",
    ".",
    "",
    "a/b",
    "/etc",
    "a\\b",
    "a\x00",
    ".hidden",
    "a b",
    "é",
    "a\n",
    "%2e%2e",
    "~",
    "$HOME",
    "a:b",
    "*",
]


@pytest.mark.parametrize("segment", HOSTILE)
def test_key_is_made_of_plain_segments(segment: str) -> None:
    with pytest.raises(ValueError, match="plain segments"):
        object_key(TENANT, "attachments", segment)
    with pytest.raises(ValueError, match="plain segments"):
        object_key(TENANT, segment)


def test_key_needs_a_segment() -> None:
    with pytest.raises(ValueError, match="plain segments"):
        object_key(TENANT)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_key_never_leaves_its_tenants_prefix(segments: list[str]) -> None:
    try:
        key = object_key(TENANT, *segments)
    except ValueError:
        return
    assert key.startswith(f"tenant/{TENANT}/")
    path = (Path("/root-of-all") / key).resolve()
    assert path.is_relative_to(Path(f"/root-of-all/tenant/{TENANT}")) and len(path.parts) == 4 + len(segments)


@pytest.mark.parametrize(
    "key", ["../outside", "/etc/passwd", "tenant/../../outside", "a/../../b", "", ".", "..", "link/inside"]
)
async def test_filesystem_refuses_a_key_that_leaves_its_root(tmp_path: Path, key: str) -> None:
    """Even one that object_key did not make; `link` is a directory that points elsewhere."""
    root, outside = tmp_path / "objects", tmp_path / "elsewhere"
    root.mkdir()
    outside.mkdir()
    (root / "link").symlink_to(outside)
    store = FilesystemStore(root, SIGNER)
    for attempt in (store.put(key, b"x", "text/plain"), store.get(key), store.exists(key)):
        with pytest.raises(ValueError, match="leaves the store"):
            await attempt
    assert list(outside.iterdir()) == []
    assert [path.name for path in root.iterdir()] == ["link"]


async def test_filesystem_leaves_no_half_written_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, key = FilesystemStore(tmp_path, SIGNER), a_key()
    await store.put(key, b"before", "text/plain")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ServiceUnavailable):
        await store.put(key, b"after" * 1000, "text/plain")
    monkeypatch.undo()
    assert await store.get(key) == b"before"
    assert [path.name for path in files_below(tmp_path)] == [key.rsplit("/", 1)[1]]


async def test_filesystem_that_cannot_be_read_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, key = FilesystemStore(tmp_path, SIGNER), a_key()
    await store.put(key, b"x", "text/plain")

    def broken(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", broken)
    with pytest.raises(ServiceUnavailable):
        await store.get(key)


async def test_filesystem_objects_are_the_service_users_alone(tmp_path: Path) -> None:
    """They hold PHI: the umask of whoever started the service must not decide who reads them."""
    before = os.umask(0o022)
    try:
        store, key = FilesystemStore(tmp_path / "objects", SIGNER), a_key()
        await store.put(key, b"x", "text/plain")
    finally:
        os.umask(before)
    [file] = files_below(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


class AwayClient:
    """An S3 client of a service that is away, or denies."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        def call(**_: Any) -> None:
            raise self.error

        return call


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "canary"}}, "GetObject")


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://s3.example"),
        client_error("500"),
        client_error("SlowDown"),
        client_error("AccessDenied"),
    ],
    ids=["unreachable", "error", "slow down", "denied"],
)
async def test_s3_that_is_away_is_unavailable(error: Exception) -> None:
    client: Any = AwayClient(error)
    store = S3Store(BUCKET, client)
    for attempt in (store.put("k", b"x", "text/plain"), store.get("k"), store.exists("k")):
        with pytest.raises(ServiceUnavailable) as refused:
            await attempt
        assert "canary" not in refused.value.message


async def test_s3_objects_are_encrypted_by_the_key_service_and_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        await S3Store(BUCKET, client).put("k", b"x", "image/png")
        head = client.head_object(Bucket=BUCKET, Key="k")
    assert (head["ServerSideEncryption"], head["ContentType"]) == ("aws:kms", "image/png")
