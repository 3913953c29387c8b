"""Settings of e-mail."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from app.core.settings import SettingsGroup

DEVELOPMENT_ADDRESS = "http://localhost:8000"


class EmailSettings(SettingsGroup):
    heading: ClassVar[str] = "E-mail"
    needed_in_production: ClassVar[tuple[str, ...]] = ("ses_region", "app_url")

    app_url: str | None = Field(
        None,
        description="Public address of the client app, with its path if it has one. Links in e-mails lead to"
        " <APP_URL>/account#token=…. In development http://localhost:8000",
    )
    email_from: str = Field("FusionEMS <no-reply@localhost>", description="Sender of e-mails")
    ses_region: str | None = Field(
        None, description="AWS region of SES v2; without it e-mails are written to DATA_DIR/mail as .eml"
    )
    ses_configuration_set: str | None = Field(None, description="SES configuration set that publishes notices to SNS")
    ses_endpoint_url: str | None = Field(None, description="Another address of the SES API (VPC endpoint, tests)")
    sns_topic_arn: str | None = Field(
        None, description="The one SNS topic whose SES notices are taken and whose subscription is confirmed"
    )

    @field_validator("app_url")
    @classmethod
    def _address_to_append_to(cls, value: str | None) -> str | None:
        """Without the slash at its end. Raises PydanticCustomError for what is no address or has more than a path."""
        if value is None:
            return None
        try:
            parts = urlsplit(value)
        except ValueError:  # its message names the value
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise PydanticCustomError("app_url", "must be an address such as https://app.example.com")
        if parts.query or parts.fragment:
            raise PydanticCustomError("app_url", "must have no query and no fragment, because links append to it")
        return value.rstrip("/")

    @property
    def public_address(self) -> str:
        """Where links in e-mails lead."""
        return self.app_url or DEVELOPMENT_ADDRESS
