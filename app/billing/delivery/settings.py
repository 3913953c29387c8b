"""Settings of deliveries."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from app.core.settings import SettingsGroup


class DeliverySettings(SettingsGroup):
    heading: ClassVar[str] = "Claim files"

    claims_dir: Path | None = Field(
        None,
        description="Where claim files are put for people and other programs, in a directory for each agency; without"
        " it DATA_DIR/claims",
    )
