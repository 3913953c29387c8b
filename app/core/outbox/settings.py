"""Settings of the outbox."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from app.core.settings import SettingsGroup


class OutboxSettings(SettingsGroup):
    heading: ClassVar[str] = "Events"

    outbox_retention_hours: int = Field(
        168,
        ge=1,
        le=8760,
        description="Published events are kept for so long: a websocket that was away longer has to load anew",
    )
