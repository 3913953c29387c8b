"""Access tokens: ES256 by `kid`, every claim of directive 4.1 required, verified once and cached (RFC 9068's type)."""

from __future__ import annotations

import hashlib
import uuid
from collections import OrderedDict
from pathlib import Path
from typing import Any, Self

import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import JWTError, jwk, jwt
from jose.backends.base import Key
from pydantic import BaseModel, ConfigDict, model_validator

from app.core.clock import timestamp
from app.core.errors import Unauthenticated
from app.core.ids import TenantId, UserId, new_random_uuid
from app.core.permissions import USER_ROLES, Principal, Role

ALGORITHM = "ES256"
TYPE = "at+jwt"
LONGEST_LIFE_SECONDS = 3600
CLOCK_SKEW_SECONDS = 60


class SigningKeys(BaseModel):
    """`keys` maps a key id to a PEM private key; `active` signs, all verify (rotation)."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    active: str
    keys: dict[str, str]

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.active not in self.keys:
            raise ValueError("the active key is not among the keys")
        for kid, pem in self.keys.items():
            key = serialization.load_pem_private_key(pem.encode(), None)
            if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
                raise ValueError(f"key {kid} is no P-256 key, which {ALGORITHM} needs")
        return self

    @classmethod
    def generate(cls) -> SigningKeys:
        pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return cls(active="k1", keys={"k1": pem.decode()})

    @classmethod
    def load(cls, file: Path) -> SigningKeys:
        return cls.model_validate(orjson.loads(file.read_bytes()))


class TokenService:
    """Issues and verifies tokens. `seconds` is the life of a token. If given, `issuer` is written and required."""

    CACHE_SIZE = 8192

    def __init__(self, keys: SigningKeys, *, seconds: int, issuer: str | None) -> None:
        self._signing: dict[str, Any] = {kid: jwk.construct(pem, ALGORITHM) for kid, pem in keys.keys.items()}
        self._verifying: dict[str, Key] = {kid: key.public_key() for kid, key in self._signing.items()}
        self._active = keys.active
        self._issuer = issuer
        self.seconds = seconds
        self._verified: OrderedDict[bytes, Principal] = OrderedDict()

    def issue(
        self,
        *,
        user_id: uuid.UUID,
        tenant_id: uuid.UUID,
        role: Role,
        is_reviewer: bool,
        session_id: uuid.UUID,
        seconds: int | None = None,
    ) -> str:
        """`seconds` shortens the life of a token whose session ends sooner."""
        now = int(timestamp())
        claims: dict[str, Any] = {
            "sub": str(user_id),
            "tenant_id": str(tenant_id),
            "role": role.value,
            "reviewer": is_reviewer,
            "iat": now,
            "exp": now + (self.seconds if seconds is None else seconds),
            "sid": str(session_id),
            "jti": str(new_random_uuid()),
        }
        if self._issuer is not None:
            claims["iss"] = self._issuer
        headers = {"kid": self._active, "typ": TYPE}
        return jwt.encode(claims, self._signing[self._active], algorithm=ALGORITHM, headers=headers)

    def verify(self, token: str) -> Principal:
        """Raises Unauthenticated. The cache is keyed by the token's SHA-256: it holds no usable token."""
        key = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        principal = self._verified.get(key)
        if principal is None:
            principal = self._verify(token)
            self._verified[key] = principal
            if len(self._verified) > self.CACHE_SIZE:
                self._verified.popitem(last=False)
        elif principal.expires_at <= timestamp():
            del self._verified[key]
            raise Unauthenticated
        return principal

    def _verify(self, token: str) -> Principal:
        try:
            kid = self._key_of(jwt.get_unverified_header(token))
            claims = jwt.decode(
                token,
                self._verifying[kid],
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                options={
                    "require_exp": True,
                    "require_iat": True,
                    "require_sub": True,
                    "require_jti": True,
                    "require_iss": self._issuer is not None,
                },
            )
            return _principal(claims)
        except (JWTError, KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise Unauthenticated from error

    def _key_of(self, header: dict[str, Any]) -> str:
        """The id of one of our keys. A header with more fields than ours (jwk, jku, x5u, crit) or fewer is refused."""
        kid = header["kid"]
        ours = header.keys() == {"alg", "typ", "kid"} and header["alg"] == ALGORITHM and header["typ"] == TYPE
        if not ours or not isinstance(kid, str) or kid not in self._verifying:
            raise Unauthenticated
        return kid


def _principal(claims: dict[str, Any]) -> Principal:
    role = Role(claims["role"])
    if role not in USER_ROLES:
        raise ValueError("no user has this role")
    uuid.UUID(claims["jti"])
    if type(claims["reviewer"]) is not bool:
        raise ValueError("the reviewer flag is true or false")
    expires_at, issued_at, now = claims["exp"], claims["iat"], timestamp()
    if type(expires_at) is not int or type(issued_at) is not int:
        raise ValueError("times are whole seconds")
    if not now < expires_at <= issued_at + LONGEST_LIFE_SECONDS or issued_at > now + CLOCK_SKEW_SECONDS:
        raise ValueError("expired, not yet issued, or issued for too long")
    return Principal(
        tenant_id=TenantId(uuid.UUID(claims["tenant_id"])),
        user_id=UserId(uuid.UUID(claims["sub"])),
        role=role,
        is_reviewer=claims["reviewer"],
        expires_at=float(expires_at),
        session_id=uuid.UUID(claims["sid"]),
    )
