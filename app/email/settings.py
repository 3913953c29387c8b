"""Settings of e-mail."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from app.core.settings import SettingsGroup


class EmailSettings(SettingsGroup):
    heading: ClassVar[str] = "E-mail"
    needed_in_production: ClassVar[tuple[str, ...]] = ("ses_region",)

    app_url: str = Field("http://localhost:8000", description="Where links in e-mails lead: the client app's address")
    email_from: str = Field("FusionEMS <no-reply@localhost>", description="Sender of e-mails")
    ses_region: str | None = Field(
        None, description="AWS region of SES v2; without it e-mails are written to DATA_DIR/mail as .eml"
    )
    ses_configuration_set: str | None = Field(None, description="SES configuration set that publishes notices to SNS")
    ses_endpoint_url: str | None = Field(None, description="Another address of the SES API (VPC endpoint, tests)")
    sns_topic_arn: str | None = Field(
        None, description="The one SNS topic whose SES notices are taken and whose subscription is confirmed"
    )
