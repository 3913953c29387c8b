"""Access tokens: what is not ours, in date and complete is refused; what was verified once expires all the same."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from pydantic import ValidationError

from app.core.auth import tokens
from app.core.auth.tokens import SigningKeys, TokenService
from app.core.config import Settings
from app.core.errors import Unauthenticated
from app.core.ids import TenantId, new_id
from app.core.permissions import Principal, Role
from app.main import create_app
from tests.core.evidence import checksum
from tests.core.http.contract import expect_refusal
from tests.support.actors import Agency

Claims = dict[str, Any]


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def private_key(keys: SigningKeys, kid: str = "k1") -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(keys.keys[kid].encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def public_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def es256(key: ec.EllipticCurvePrivateKey, signed: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def forge(header: Any, claims: Any, sign: Callable[[bytes], bytes]) -> str:
    """A JWS of exactly these parts; bytes are taken as they are."""
    head, body = (part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims))
    signed = f"{encoded(head)}.{encoded(body)}"
    return f"{signed}.{encoded(sign(signed.encode()))}"


def claims_of(tenant: uuid.UUID, **changes: Any) -> Claims:
    """Valid claims with `changes`; a change to None drops the claim."""
    now = int(time.time())
    claims = {
        "sub": str(new_id()),
        "tenant_id": str(tenant),
        "role": "ems",
        "reviewer": False,
        "iat": now,
        "exp": now + 3600,
        "sid": str(new_id()),
        "jti": str(uuid.uuid4()),
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": "k1"}
NULL = object()
REQUIRED = ("sub", "tenant_id", "role", "reviewer", "iat", "exp", "sid", "jti")
ID_TOKEN: Claims = {
    "aud": "fusionems",
    "nonce": "n-0S6_WzA2Mj",
    "email": "admin@demo.example",
    **dict.fromkeys(("tenant_id", "role", "reviewer", "sid", "jti")),
}

BAD_CLAIMS: dict[str, Claims] = {
    **{f"without {name}": {name: None} for name in REQUIRED},
    "an id token's": ID_TOKEN,
    "expired": {"exp": int(time.time()) - 1},
    "expired long ago": {"exp": 0, "iat": -3600},
    "exp is true": {"exp": True},
    "exp is text": {"exp": str(int(time.time()) + 3600)},
    "exp is a fraction": {"exp": time.time() + 3600.5},
    "exp is a list": {"exp": [int(time.time()) + 3600]},
    "exp is null": {"exp": NULL},
    "exp is negative": {"exp": -1},
    "exp is huge": {"exp": 10**30},
    "exp is beyond floats": {"exp": 10**400},
    "exp is next year": {"exp": int(time.time()) + 366 * 86400},
    "iat is text": {"iat": "now"},
    "iat is false": {"iat": False},
    "iat is huge": {"iat": 10**30, "exp": 10**30 + 1},
    "iat is tomorrow": {"iat": int(time.time()) + 86400, "exp": int(time.time()) + 86400 + 60},
    "nbf is tomorrow": {"nbf": int(time.time()) + 86400},
    "aud of another service": {"aud": "another"},
    "role of the system": {"role": "system"},
    "role unknown": {"role": "root"},
    "role in capitals": {"role": "ADMIN"},
    "role is a list": {"role": ["admin"]},
    "role is an object": {"role": {"admin": True}},
    "role is null": {"role": NULL},
    "sub is no uuid": {"sub": "admin"},
    "sub is a number": {"sub": 1},
    "sub is empty": {"sub": ""},
    "sub is null": {"sub": NULL},
    "tenant is no uuid": {"tenant_id": "*"},
    "tenant is sql": {"tenant_id": "00000000-0000-0000-0000-000000000000'; --"},
    "tenant is a number": {"tenant_id": 7},
    "tenant is null": {"tenant_id": NULL},
    "reviewer is text": {"reviewer": "true"},
    "reviewer is a number": {"reviewer": 1},
    "reviewer is a list": {"reviewer": [True]},
    "reviewer is null": {"reviewer": NULL},
    "sid is no uuid": {"sid": "' OR 1=1 --"},
    "sid is a list": {"sid": []},
    "sid is null": {"sid": NULL},
    "jti is no uuid": {"jti": "1"},
    "jti is a number": {"jti": 1},
    "jti is null": {"jti": NULL},
}
BAD_HEADERS: dict[str, Any] = {
    "alg none": {"alg": "none"},
    "alg None": {"alg": "None"},
    "alg null": {"alg": None},
    "alg lower": {"alg": "es256"},
    "alg ES384": {"alg": "ES384"},
    "alg RS256": {"alg": "RS256"},
    "alg list": {"alg": ["ES256"]},
    "no alg": {"alg": NULL},
    "no kid": {"kid": NULL},
    "kid unknown": {"kid": "k2"},
    "kid empty": {"kid": ""},
    "kid path": {"kid": "../../../../dev/null"},
    "kid absolute path": {"kid": "/etc/passwd"},
    "kid url": {"kid": "https://evil.example/keys.json"},
    "kid sql": {"kid": "k1' OR '1'='1"},
    "kid NUL": {"kid": "k1\x00"},
    "kid number": {"kid": 1},
    "kid list": {"kid": ["k1"]},
    "kid object": {"kid": {"k1": 1}},
    "kid null": {"kid": None},
    "typ JWT": {"typ": "JWT"},
    "typ of an id token": {"typ": "id_token+jwt"},
    "typ of a refresh token": {"typ": "rt+jwt"},
    "typ in capitals": {"typ": "AT+JWT"},
    "typ null": {"typ": None},
    "no typ": {"typ": NULL},
    "crit": {"crit": ["exp"]},
    "b64": {"b64": False, "crit": ["b64"]},
    "zip": {"zip": "DEF"},
    "jku": {"jku": "https://evil.example/jwks.json"},
    "x5u": {"x5u": "https://evil.example/chain.pem"},
    "jwk empty": {"jwk": {}},
    "cty": {"cty": "JWT"},
}


@pytest.fixture(scope="session")
def keys(settings: Settings, app: object) -> SigningKeys:
    """The keys that the app under test generated."""
    return SigningKeys.model_validate(orjson.loads((settings.data_dir / "dev-secrets.json").read_bytes())["jwt_keys"])


@pytest.fixture(scope="session")
def sign(keys: SigningKeys) -> Callable[[bytes], bytes]:
    key = private_key(keys)
    return lambda signed: es256(key, signed)


async def me(client: httpx.AsyncClient, token: str | bytes) -> httpx.Response:
    raw = token if isinstance(token, bytes) else token.encode("utf-8", "surrogatepass")
    return await client.get("/api/v1/auth/me", headers={b"authorization": b"Bearer " + raw})


async def expect_powerless(client: httpx.AsyncClient, database: asyncpg.Connection, agency: Agency, token: str) -> None:
    """Refused by the contract for reading and for writing, and nothing happened."""
    before = await checksum(database, agency.tenant_id)
    expect_refusal(await me(client, token), 401, "UNAUTHENTICATED")
    headers = {"Authorization": f"Bearer {token}"}
    for path, body in (
        ("auth/me", {"version": 1, "display_name": "Canary"}),
        ("tenants/current", {"version": 1, "trade_name": "Canary"}),
    ):
        written = await client.patch(f"/api/v1/{path}", headers=headers, json=body)
        expect_refusal(written, 401, "UNAUTHENTICATED")
    assert await checksum(database, agency.tenant_id) == before


def without_null(part: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value is NULL else value for name, value in part.items()}


async def test_a_token_made_by_this_test_is_accepted(
    client: httpx.AsyncClient, agency: Agency, sign: Callable[[bytes], bytes]
) -> None:
    """The control: what follows is refused for what is wrong with it and for nothing else."""
    user = (await agency.medic.expect(200, "GET", "auth/me"))["id"]
    answer = await me(client, forge(HEADER, claims_of(agency.tenant_id, sub=user), sign))
    assert answer.status_code == 200 and answer.json()["role"] == "ems"


@pytest.mark.parametrize("name", BAD_CLAIMS)
async def test_bad_claims(
    client: httpx.AsyncClient,
    admin_connection: asyncpg.Connection,
    agency: Agency,
    sign: Callable[[bytes], bytes],
    name: str,
) -> None:
    user = (await agency.admin.expect(200, "GET", "auth/me"))["id"]
    claims = without_null(claims_of(agency.tenant_id, **{"sub": user, "role": "admin", **BAD_CLAIMS[name]}))
    await expect_powerless(client, admin_connection, agency, forge(HEADER, claims, sign))


@pytest.mark.parametrize("name", BAD_HEADERS)
async def test_bad_header(
    client: httpx.AsyncClient,
    admin_connection: asyncpg.Connection,
    agency: Agency,
    sign: Callable[[bytes], bytes],
    name: str,
) -> None:
    user = (await agency.admin.expect(200, "GET", "auth/me"))["id"]
    header = {key: value for key, value in {**HEADER, **BAD_HEADERS[name]}.items() if value is not NULL}
    claims = claims_of(agency.tenant_id, sub=user, role="admin")
    await expect_powerless(client, admin_connection, agency, forge(header, claims, sign))


@pytest.mark.parametrize("smuggled", ["jwk", "jku", "x5u", "x5c"])
async def test_key_that_the_token_brings_along_is_not_used(
    client: httpx.AsyncClient, agency: Agency, smuggled: str
) -> None:
    foreign = ec.generate_private_key(ec.SECP256R1())
    numbers = foreign.public_key().public_numbers()
    brought: dict[str, Any] = {
        "jwk": {
            "kty": "EC",
            "crv": "P-256",
            "x": encoded(numbers.x.to_bytes(32)),
            "y": encoded(numbers.y.to_bytes(32)),
        },
        "jku": "https://evil.example/jwks.json",
        "x5u": "https://evil.example/chain.pem",
        "x5c": [base64.b64encode(public_pem(foreign)).decode()],
    }
    token = forge(
        {**HEADER, smuggled: brought[smuggled]}, claims_of(agency.tenant_id), lambda signed: es256(foreign, signed)
    )
    expect_refusal(await me(client, token), 401, "UNAUTHENTICATED")


async def test_symmetric_signature_with_the_public_key_is_refused(
    client: httpx.AsyncClient, agency: Agency, keys: SigningKeys
) -> None:
    """Algorithm confusion."""
    secret = public_pem(private_key(keys))
    for algorithm, digest in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512)):
        for used in (secret, secret.strip(), b""):
            token = forge(
                {**HEADER, "alg": algorithm},
                claims_of(agency.tenant_id),
                lambda signed, used=used, digest=digest: hmac.new(used, signed, digest).digest(),  # type: ignore[misc]
            )
            expect_refusal(await me(client, token), 401, "UNAUTHENTICATED")


async def test_signature_of_another_key_is_refused(client: httpx.AsyncClient, agency: Agency) -> None:
    foreign = ec.generate_private_key(ec.SECP256R1())
    token = forge(HEADER, claims_of(agency.tenant_id), lambda signed: es256(foreign, signed))
    expect_refusal(await me(client, token), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize("changed", ["tenant_id", "role", "sub", "exp", "reviewer"])
async def test_payload_that_was_changed_is_refused(client: httpx.AsyncClient, agency: Agency, changed: str) -> None:
    head, body, signature = str(agency.medic.token).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims[changed] = {"role": "admin", "reviewer": True, "exp": claims["exp"] + 60}.get(changed, str(new_id()))
    token = f"{head}.{encoded(json.dumps(claims).encode())}.{signature}"
    expect_refusal(await me(client, token), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize("position", [0, 20, 43, 60])
async def test_signature_that_was_changed_is_refused(client: httpx.AsyncClient, agency: Agency, position: int) -> None:
    head, body, signature = str(agency.medic.token).split(".")
    other = "A" if signature[position] != "A" else "B"
    token = f"{head}.{body}.{signature[:position]}{other}{signature[position + 1 :]}"
    expect_refusal(await me(client, token), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    "token",
    [
        "", " ", ".", "..", "...", "a", "a.b", "a.b.c", "a.b.c.d", "!.!.!", "é.é.é", "\ud800", "null", "{}", "[]",
        "Bearer", "e30.e30.e30", "e30.e30.", ".e30.e30", "bnVsbA.bnVsbA.bnVsbA", "W10.W10.W10", "MQ.MQ.MQ", "_w._w._w",
        "x" * 100_000, "." * 100_000, f"{'e30' * 30_000}.e30.e30", "%00.%00.%00", "../../etc/passwd",
    ],
    ids=lambda token: token[:12],
)  # fmt: skip
async def test_what_is_no_token_at_all(client: httpx.AsyncClient, token: str) -> None:
    expect_refusal(await me(client, token), 401, "UNAUTHENTICATED")


async def test_token_cut_in_pieces(client: httpx.AsyncClient, agency: Agency) -> None:
    whole = str(agency.medic.token)
    head, body, signature = whole.split(".")
    pieces = [
        f"{head}.{body}",
        f"{head}.{body}.",
        f"{head}..{signature}",
        f".{body}.{signature}",
        f"{body}.{head}.{signature}",
    ]
    pieces += [whole[:-20], whole[20:], f"{whole}.{signature}", f"{whole}A" * 2, whole.replace(".", ".."), whole * 2]
    for piece in pieces:
        expect_refusal(await me(client, piece), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    "claims", [b"", b"null", b"[]", b'"text"', b"{", b"\xff\xfe", b"[" * 50_000, b'{"exp": 1e999}', b'{"exp": NaN}'],
    ids=lambda claims: repr(claims[:12]),
)  # fmt: skip
async def test_signed_nonsense(client: httpx.AsyncClient, sign: Callable[[bytes], bytes], claims: bytes) -> None:
    expect_refusal(await me(client, forge(HEADER, claims, sign)), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    "header", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 50_000], ids=lambda part: repr(part[:12])
)
async def test_header_that_is_no_header(
    client: httpx.AsyncClient, agency: Agency, sign: Callable[[bytes], bytes], header: bytes
) -> None:
    expect_refusal(await me(client, forge(header, claims_of(agency.tenant_id), sign)), 401, "UNAUTHENTICATED")


async def test_keys_rotate_without_signing_anybody_out(
    settings: Settings, keys: SigningKeys, agency: Agency, tmp_path: Path
) -> None:
    """The next start of the service knows the old key and signs with the new one; a third forgets the old."""
    fresh = SigningKeys.generate().keys["k1"]
    file = tmp_path / "keys.json"
    tokens_of = {}
    for held in ({"k1": keys.keys["k1"], "k2": fresh}, {"k2": fresh}):
        file.write_bytes(orjson.dumps({"active": "k2", "keys": held}))
        app = create_app(settings.model_copy(update={"jwt_keys_file": file}))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            old = await me(http, str(agency.medic.token))
            email = f"medic@{agency.slug}.example"
            login = {"tenant_slug": agency.slug, "email": email, "password": agency.passwords[email]}
            answer = await http.post("/api/v1/auth/login", json=login)
            new = answer.json()["access_token"]
            assert (await me(http, new)).status_code == 200
            assert json.loads(base64.urlsafe_b64decode(new.split(".")[0] + "=="))["kid"] == "k2"
            tokens_of[len(held)] = old.status_code
        await app.state.runtime.close()
    assert tokens_of == {2: 200, 1: 401}


def service_of(keys: SigningKeys, issuer: str | None = None, seconds: int = 3600) -> TokenService:
    return TokenService(keys, seconds=seconds, issuer=issuer)


def issued(service: TokenService, **changes: Any) -> str:
    return service.issue(
        **{
            "user_id": new_id(),
            "tenant_id": TenantId(new_id()),
            "role": Role.BILLING,
            "is_reviewer": False,
            "session_id": new_id(),
            **changes,
        }
    )


def test_token_carries_the_directives_claims_and_comes_back_as_the_principal() -> None:
    service = service_of(SigningKeys.generate())
    user, session, tenant = new_id(), new_id(), TenantId(new_id())
    token = service.issue(user_id=user, tenant_id=tenant, role=Role.EMS, is_reviewer=True, session_id=session)
    assert json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["typ"] == "at+jwt"
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert {name: claims[name] for name in ("sub", "tenant_id", "role")} == {
        "sub": str(user),
        "tenant_id": str(tenant),
        "role": "ems",
    }
    assert claims["exp"] - claims["iat"] == 3600 and abs(claims["iat"] - time.time()) < 60
    principal = service.verify(token)
    assert principal == Principal(
        tenant,
        Role.EMS,
        user_id=principal.user_id,
        is_reviewer=True,
        expires_at=claims["exp"],
        session_id=session,
    )
    assert set(claims) == set(REQUIRED)
    assert claims["jti"] != json.loads(base64.urlsafe_b64decode(issued(service).split(".")[1] + "=="))["jti"]
    assert principal.user_id == user


@pytest.mark.parametrize("issuer", [None, "https://other.example", "https://fusion.example.evil", ""])
def test_issuer_is_required_when_configured(issuer: str | None) -> None:
    keys = SigningKeys.generate()
    service = service_of(keys, issuer="https://fusion.example")
    assert service.verify(issued(service)).role is Role.BILLING
    with pytest.raises(Unauthenticated):
        service.verify(issued(service_of(keys, issuer=issuer)))


def test_old_key_still_verifies_after_rotation_and_a_removed_one_does_not() -> None:
    first, second = SigningKeys.generate(), SigningKeys.generate()
    before = issued(service_of(first))
    both = SigningKeys(active="k2", keys={"k1": first.keys["k1"], "k2": second.keys["k1"]})
    rotated = service_of(both)
    assert rotated.verify(before).role is Role.BILLING
    after = issued(rotated)
    assert json.loads(base64.urlsafe_b64decode(after.split(".")[0] + "=="))["kid"] == "k2"
    assert rotated.verify(after).role is Role.BILLING
    only_new = service_of(SigningKeys(active="k2", keys={"k2": second.keys["k1"]}))
    assert only_new.verify(after).role is Role.BILLING
    with pytest.raises(Unauthenticated):
        only_new.verify(before)


def test_kid_does_not_choose_between_the_keys_of_others() -> None:
    first, second = SigningKeys.generate(), SigningKeys.generate()
    both = service_of(SigningKeys(active="k1", keys={"k1": first.keys["k1"], "k2": second.keys["k1"]}))
    swapped = forge({**HEADER, "kid": "k2"}, claims_of(new_id()), lambda signed: es256(private_key(first), signed))
    with pytest.raises(Unauthenticated):
        both.verify(swapped)


def test_active_key_must_be_among_the_keys() -> None:
    """Otherwise the service starts, and every sign-in fails."""
    with pytest.raises(ValidationError):
        SigningKeys(active="k9", keys=SigningKeys.generate().keys)


@pytest.mark.parametrize("kind", ["rsa", "p384", "garbage"])
def test_key_of_another_kind_is_refused_at_the_start(kind: str) -> None:
    made: dict[str, Any] = {
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    }
    pem = "garbage " * 12
    if kind in made:
        pem = (
            made[kind]()
            .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            .decode()
        )
    with pytest.raises(ValidationError) as refused:
        SigningKeys(active="k1", keys={"k1": pem})
    assert pem[30:60] not in str(refused.value), "a key in the log of the start"


def test_no_setting_makes_tokens_that_live_too_long_to_be_accepted() -> None:
    [bound] = [limit.le for limit in Settings.model_fields["access_token_seconds"].metadata if hasattr(limit, "le")]
    assert bound == tokens.LONGEST_LIFE_SECONDS


class Clock:
    """What the service takes for the present time."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    held = Clock()
    monkeypatch.setattr(tokens, "timestamp", held)
    return held


def test_verified_token_expires_in_the_cache(clock: Clock) -> None:
    service = service_of(SigningKeys.generate(), seconds=60)
    token = issued(service)
    expiry = int(clock.now) + 60
    assert service.verify(token) is service.verify(token), "verified once"
    clock.now = expiry - 1
    service.verify(token)
    clock.now = expiry
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            service.verify(token)


def test_token_expires_at_the_same_instant_without_the_cache(clock: Clock) -> None:
    keys = SigningKeys.generate()
    token = issued(service_of(keys, seconds=60))
    clock.now = int(clock.now) + 60
    with pytest.raises(Unauthenticated):
        service_of(keys).verify(token)


def test_cache_is_bounded_and_holds_no_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenService, "CACHE_SIZE", 3)
    service = service_of(SigningKeys.generate())
    made = [issued(service) for _ in range(10)]
    for token in made:
        service.verify(token)
    assert len(service._verified) == 3
    assert all(isinstance(key, bytes) and len(key) == 32 for key in service._verified)
    assert service.verify(made[0]).role is Role.BILLING


def test_refused_token_is_not_remembered() -> None:
    service = service_of(SigningKeys.generate())
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            service.verify(issued(service_of(SigningKeys.generate())))
    assert len(service._verified) == 0
