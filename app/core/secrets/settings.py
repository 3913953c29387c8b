"""Settings of the keys that encrypt the agencies' secrets."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from app.core.settings import SettingsGroup


class SecretSettings(SettingsGroup):
    """Where both are set, KMS encrypts and the file still decrypts what it encrypted before."""

    heading: ClassVar[str] = "Secrets of agencies"

    secrets_kms_key_id: str | None = Field(
        None, description="AWS KMS key (id, ARN or alias) that encrypts the agencies' secrets"
    )
    secrets_key_file: Path | None = Field(
        None,
        description="JSON {active, keys: {id: 32 bytes in base64}} that encrypts the agencies' secrets; production"
        " needs this or SECRETS_KMS_KEY_ID; generated in development",
    )
