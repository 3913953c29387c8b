"""Settings of the NEMSIS export."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from app.core.settings import SettingsGroup


class NemsisSettings(SettingsGroup):
    heading: ClassVar[str] = "NEMSIS"

    nemsis_schema_dir: Path | None = Field(
        None, description="Directory that holds the official NEMSIS XSDs, one folder per build"
    )
