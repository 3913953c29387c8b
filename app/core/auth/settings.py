"""Settings of signing in: tokens, sessions, passwords."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from app.core.auth.proxies import read_networks
from app.core.settings import SettingsGroup


class AuthSettings(SettingsGroup):
    heading: ClassVar[str] = "Signing in"
    needed_in_production: ClassVar[tuple[str, ...]] = ("jwt_keys_file",)

    jwt_issuer: str | None = Field(None, description="Issuer written into and required of access tokens")
    jwt_keys_file: Path | None = Field(
        None, description="JSON {active, keys: {kid: PEM}} of ES256 keys; generated in development"
    )
    access_token_seconds: int = Field(600, ge=60, le=3600, description="Life of an access token")
    session_idle_seconds: int = Field(900, ge=60, description="A session that is not refreshed for so long ends")
    session_absolute_seconds: int = Field(43_200, ge=300, description="A session ends after this, however busy")
    invitation_hours: int = Field(72, ge=1, le=720, description="Life of an invitation")
    password_reset_minutes: int = Field(30, ge=5, le=1440, description="Life of a password reset link")
    forgot_password_milliseconds: int = Field(
        600, ge=0, le=10_000, description="Time that POST auth/password/forgot takes at least, whatever it found"
    )
    address_failures: int = Field(
        100, ge=5, description="Failed sign-ins of one unfamiliar address within 15 minutes before it waits"
    )
    forwarded_allow_ips: str = Field(
        "127.0.0.1",
        description="Proxies whose X-Forwarded-For is believed: addresses and networks with commas (10.0.0.0/16)."
        " Behind a balancer that is not named here all clients count as one address",
    )
    password_rounds: int = Field(12, ge=4, le=16, description="bcrypt cost; fewer than 12 are refused in production")

    @field_validator("forwarded_allow_ips")
    @classmethod
    def _proxies_are_addresses(cls, value: str) -> str:
        try:
            read_networks(value)
        except ValueError:
            message = "must be addresses and networks, separated by commas; * is not taken"
            raise PydanticCustomError("networks", message) from None
        return value
