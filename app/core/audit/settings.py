"""Settings of the logs."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from app.core.settings import SettingsGroup


class AuditSettings(SettingsGroup):
    heading: ClassVar[str] = "Audit and access logs"

    audit_retention_years: int = Field(
        10, ge=10, le=100, description="Audit and access logs older than this are detached for archiving"
    )
