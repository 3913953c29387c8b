"""Signed links: one contract for both stores, and what each refuses by itself."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
import json
import urllib.parse
import uuid
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
import requests
from botocore.exceptions import EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from app.core import sealed
from app.core.config import Settings
from app.core.errors import AppError, ServiceUnavailable
from app.core.ids import TenantId
from app.core.keys import Keyring
from app.core.runtime import Runtime
from app.core.storage.errors import LinkRefused, LinkUsed
from app.core.storage.gateway import FilesystemStore, ObjectStore, S3Store, attachment_disposition, object_key
from app.core.storage.links import LOCAL_DOWNLOADS, LOCAL_UPLOADS, LinkSigner, ObjectTerms, UploadLink

TENANT = TenantId(uuid.UUID(int=7))
BUCKET = "fusionems-test"
SIGNER = LinkSigner(Keyring(bytes(range(32))))
CONTENT = b"\x00twelve leads\xff" * 500


def terms(content: bytes = CONTENT, content_type: str = "application/pdf") -> ObjectTerms:
    return ObjectTerms(content_type, len(content), hashlib.sha256(content).hexdigest())


def a_key() -> str:
    return object_key(TENANT, "uploads", uuid.uuid4().hex)


def files(root: Path) -> list[str]:
    """What lies in a store, the marks of used links aside."""
    return sorted(
        str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and ".used" not in path.parts
    )


def token_of(url: str) -> str:
    return url.rsplit("/", 1)[1]


async def in_chunks(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterable[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture(params=["filesystem", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "filesystem":
        return FilesystemStore(tmp_path, SIGNER)
    return S3Store(BUCKET, request.getfixturevalue("aws"))


async def send(store: ObjectStore, link: UploadLink, content: bytes) -> None:
    """As a client does: a form where the link has fields, the bare content elsewhere."""
    if isinstance(store, FilesystemStore):
        await store.receive(token_of(link.url), link.headers["Content-Type"], in_chunks(content))
        return
    answer = await asyncio.to_thread(
        requests.request, link.method, link.url, data=link.fields, files={"file": content}, timeout=5
    )
    assert answer.status_code in (200, 204)


async def test_what_is_sent_with_a_link_is_stored_and_fetched_with_another(store: ObjectStore) -> None:
    key = a_key()
    upload = await store.sign_upload(key, terms())
    assert await store.find_size(key) is None
    await send(store, upload, CONTENT)
    assert await store.find_size(key) == len(CONTENT)
    download = await store.sign_download(key, "application/pdf", "one.pdf")
    if isinstance(store, FilesystemStore):
        content, permission = await store.fetch(token_of(download.url))
        assert (content, permission.content_type, permission.file_name) == (CONTENT, "application/pdf", "one.pdf")
    else:
        assert (await asyncio.to_thread(requests.get, download.url, timeout=5)).content == CONTENT


async def test_links_live_for_minutes(store: ObjectStore) -> None:
    now = dt.datetime.now(dt.UTC)
    upload = await store.sign_upload(a_key(), terms())
    download = await store.sign_download(a_key(), "application/pdf", "one.pdf")
    assert now < upload.expires_at <= now + dt.timedelta(minutes=11)
    assert now < download.expires_at <= now + dt.timedelta(minutes=6)


async def test_what_was_deleted_is_gone_and_may_be_deleted_again(store: ObjectStore) -> None:
    key = a_key()
    await store.put(key, CONTENT, "application/pdf")
    for _ in range(2):
        await store.delete(key)
        assert (await store.exists(key), await store.find_size(key)) == (False, None)


async def test_file_names_in_links_are_plain(store: ObjectStore) -> None:
    for name in ('a"; filename="b', "Ana Rivers.pdf", "a\r\nSet-Cookie: b", "../a", ""):
        with pytest.raises(ValueError, match="plain segments"):
            await store.sign_download(a_key(), "application/pdf", name)
        with pytest.raises(ValueError, match="plain segments"):
            attachment_disposition(name)


async def test_s3_pins_everything_in_its_policy(aws: Any) -> None:
    key = a_key()
    link = await S3Store(BUCKET).sign_upload(key, terms())
    assert link.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"  # objects under KMS keys take no older signature
    policy = json.loads(base64.b64decode(link.fields["policy"]))
    checksum = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    pinned = {
        "Content-Type": "application/pdf",
        "x-amz-checksum-algorithm": "SHA256",
        "x-amz-checksum-sha256": checksum,
        "x-amz-server-side-encryption": "aws:kms",
        "bucket": BUCKET,
        "key": key,
    }
    for name, value in pinned.items():
        assert {name: value} in policy["conditions"]
        assert name == "bucket" or link.fields[name] == value
    assert ["content-length-range", len(CONTENT), len(CONTENT)] in policy["conditions"]
    assert "starts-with" not in json.dumps(policy)
    expires = dt.datetime.fromisoformat(policy["expiration"])
    assert abs(expires - link.expires_at) < dt.timedelta(seconds=60)


async def test_s3_downloads_are_saved_and_expire(aws: Any) -> None:
    link = await S3Store(BUCKET).sign_download(a_key(), "image/png", "one.png")
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link.url).query))
    assert query["response-content-disposition"] == 'attachment; filename="one.png"'
    assert query["response-content-type"] == "image/png"
    assert (query["X-Amz-Algorithm"], query["X-Amz-Expires"]) == ("AWS4-HMAC-SHA256", "300")


async def test_s3_that_is_away_signs_and_deletes_nothing() -> None:
    class Away:
        def __getattr__(self, name: str) -> Any:
            def call(*_: Any, **__: Any) -> None:
                raise EndpointConnectionError(endpoint_url="https://s3.example")

            return call

    client: Any = Away()
    store = S3Store(BUCKET, client)
    for attempt in (
        store.sign_upload("k", terms()),
        store.sign_download("k", "image/png", "one.png"),
        store.delete("k"),
        store.find_size("k"),
    ):
        with pytest.raises(ServiceUnavailable):
            await attempt


BODIES = {
    "longer": (CONTENT + b"!", "application/pdf", "PAYLOAD_TOO_LARGE"),
    "much longer": (CONTENT * 50, "application/pdf", "PAYLOAD_TOO_LARGE"),
    "shorter": (CONTENT[:-1], "application/pdf", "VALIDATION_FAILED"),
    "empty": (b"", "application/pdf", "VALIDATION_FAILED"),
    "altered": (CONTENT[:-1] + b"!", "application/pdf", "VALIDATION_FAILED"),
    "of another type": (CONTENT, "image/png", "UNSUPPORTED_MEDIA_TYPE"),
    "of no type": (CONTENT, "", "UNSUPPORTED_MEDIA_TYPE"),
}


@pytest.mark.parametrize("body", BODIES)
async def test_another_body_than_declared_leaves_nothing(tmp_path: Path, body: str) -> None:
    content, content_type, code = BODIES[body]
    store, key = FilesystemStore(tmp_path, SIGNER), a_key()
    token = token_of((await store.sign_upload(key, terms())).url)
    with pytest.raises(AppError) as refused:
        await store.receive(token, content_type, in_chunks(content))
    assert refused.value.code == code
    assert files(tmp_path) == []
    await store.receive(token, "application/pdf", in_chunks(CONTENT))  # the link was not used up by that
    assert files(tmp_path) == [key]


async def test_a_link_works_once(tmp_path: Path) -> None:
    """Also after what was sent has been taken away."""
    store, key = FilesystemStore(tmp_path, SIGNER), a_key()
    token = token_of((await store.sign_upload(key, terms())).url)
    await store.receive(token, "application/pdf", in_chunks(CONTENT))
    for _ in range(2):
        with pytest.raises(LinkUsed):
            await store.receive(token, "application/pdf", in_chunks(CONTENT))
        await store.delete(key)
        assert files(tmp_path) == []


async def test_a_link_works_once_at_the_same_time(tmp_path: Path) -> None:
    store, key = FilesystemStore(tmp_path, SIGNER), a_key()
    token = token_of((await store.sign_upload(key, terms())).url)
    sent = [store.receive(token, "application/pdf", in_chunks(CONTENT, 100)) for _ in range(8)]
    outcomes = await asyncio.gather(*sent, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LinkUsed"] * 7 + ["NoneType"]
    assert files(tmp_path) == [key]
    assert await store.get(key) == CONTENT


async def test_a_sender_that_goes_away_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield CONTENT[:100]
        raise ConnectionError("gone")

    store = FilesystemStore(tmp_path, SIGNER)
    token = token_of((await store.sign_upload(a_key(), terms())).url)
    with pytest.raises((ConnectionError, ServiceUnavailable)):
        await store.receive(token, "application/pdf", broken())
    assert files(tmp_path) == []


async def test_expired_links_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, key = FilesystemStore(tmp_path, SIGNER), a_key()
    await store.put(key, CONTENT, "application/pdf")
    upload = token_of((await store.sign_upload(a_key(), terms())).url)
    download = token_of((await store.sign_download(key, "application/pdf", "one.pdf")).url)
    now = dt.datetime.now(dt.UTC)
    for seconds, works in ((290, True), (301, False)):
        monkeypatch.setattr(sealed, "utcnow", lambda at=now + dt.timedelta(seconds=seconds): at)
        if works:
            assert (await store.fetch(download))[0] == CONTENT
        else:
            with pytest.raises(LinkRefused):
                await store.fetch(download)
    monkeypatch.setattr(sealed, "utcnow", lambda: now + dt.timedelta(seconds=601))
    with pytest.raises(LinkRefused):
        await store.receive(upload, "application/pdf", in_chunks(CONTENT))
    assert files(tmp_path) == [key]


async def test_marks_of_expired_links_go(tmp_path: Path) -> None:
    store = FilesystemStore(tmp_path, SIGNER)
    (tmp_path / ".used").mkdir()
    (tmp_path / ".used" / f"1000-{'0' * 64}").touch()
    token = token_of((await store.sign_upload(a_key(), terms())).url)
    await store.receive(token, "application/pdf", in_chunks(CONTENT))
    [mark] = (tmp_path / ".used").iterdir()
    assert not mark.name.startswith("1000-")


@given(st.data())
def test_no_altered_token_is_read(data: st.DataObject) -> None:
    token = token_of(SIGNER.sign_upload(a_key(), terms()).url)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda char: char != token[at]))
    for altered in (
        token[:at] + other + token[at + 1 :],
        token[:at] + token[at + 1 :],
        token[:at] + other + token[at:],
    ):
        with pytest.raises(LinkRefused):
            SIGNER.read_upload(altered)


@given(st.text(max_size=100))
def test_no_other_text_is_a_token(text: str) -> None:
    for read in (SIGNER.read_upload, SIGNER.read_download):
        with pytest.raises(LinkRefused):
            read(text)


def test_tokens_are_for_one_purpose_and_of_one_service() -> None:
    upload = token_of(SIGNER.sign_upload(a_key(), terms()).url)
    download = token_of(SIGNER.sign_download(a_key(), "application/pdf", "one.pdf").url)
    foreign = LinkSigner(Keyring(bytes(32)))
    for read, token in (
        (SIGNER.read_download, upload),
        (SIGNER.read_upload, download),
        (foreign.read_upload, upload),
        (foreign.read_download, download),
    ):
        with pytest.raises(LinkRefused):
            read(token)


def objects_of(settings: Settings) -> list[str]:
    return files(settings.data_dir / "objects")


async def test_local_links_lead_to_the_services_own_routes(
    client: httpx.AsyncClient, runtime: Runtime, settings: Settings
) -> None:
    """Without an access token, and with more than a JSON body may have."""
    content = bytes(settings.max_body_bytes + 100_000)
    key = a_key()
    link = await runtime.objects.sign_upload(key, terms(content, "image/jpeg"))
    assert link.url.startswith(LOCAL_UPLOADS)
    answer = await client.request(link.method, link.url, content=content, headers=link.headers)
    assert (answer.status_code, answer.content) == (204, b"")
    download = await runtime.objects.sign_download(key, "image/jpeg", "one.jpg")
    assert download.url.startswith(LOCAL_DOWNLOADS)
    answer = await client.get(download.url)
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"] == 'attachment; filename="one.jpg"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (CONTENT + b"!", {}, 413, "PAYLOAD_TOO_LARGE"),
        (CONTENT[:-1], {}, 422, "VALIDATION_FAILED"),
        (CONTENT, {"Content-Type": "image/png"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"", {"Content-Length": str(51 * 2**20)}, 413, "PAYLOAD_TOO_LARGE"),
    ],
    ids=["longer", "shorter", "type", "beyond the limit"],
)
async def test_refusals_over_http_keep_the_contract(
    client: httpx.AsyncClient,
    runtime: Runtime,
    settings: Settings,
    content: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    link = await runtime.objects.sign_upload(a_key(), terms())
    before = objects_of(settings)
    answer = await client.post(link.url, content=content, headers=link.headers | headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert objects_of(settings) == before


async def test_more_than_declared_is_cut_off_while_it_comes(
    client: httpx.AsyncClient, runtime: Runtime, settings: Settings
) -> None:
    """No Content-Length gives it away."""
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(100_000)

    before = objects_of(settings)
    link = await runtime.objects.sign_upload(a_key(), terms())
    answer = await client.post(link.url, content=endless(), headers=link.headers)
    assert answer.status_code == 413
    assert taken < 10
    assert objects_of(settings) == before


@pytest.mark.parametrize("path", ["a", "a.b", "%2e%2e", "..%2f..%2fetc%2fpasswd", "a.b.c", "%00", "x" * 3000])
async def test_made_up_links_are_refused(client: httpx.AsyncClient, settings: Settings, path: str) -> None:
    before = objects_of(settings)
    for answer in (
        await client.post(LOCAL_UPLOADS + path, content=CONTENT, headers={"Content-Type": "application/pdf"}),
        await client.get(LOCAL_DOWNLOADS + path),
    ):
        assert answer.status_code in (403, 404, 422), answer.text
        assert set(answer.json()) == {"error"}
    assert objects_of(settings) == before


async def test_other_routes_still_take_json_only(client: httpx.AsyncClient) -> None:
    for path in ("/api/v1/auth/login", "/api/v1/objects", "/api/v1/objects/uploads"):
        answer = await client.post(path, content=b"x", headers={"Content-Type": "application/pdf"})
        assert (answer.status_code, answer.json()["error"]["message"]) == (415, "Send the body as application/json.")
