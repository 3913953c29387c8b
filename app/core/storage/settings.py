"""Settings of the object store."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from app.core.settings import SettingsGroup


class StorageSettings(SettingsGroup):
    heading: ClassVar[str] = "Storage"
    needed_in_production: ClassVar[tuple[str, ...]] = ("s3_bucket",)

    data_dir: Path = Field(Path(".data"), description="Objects and generated development secrets")
    s3_bucket: str | None = Field(None, description="Object store; without it objects live under DATA_DIR/objects")
