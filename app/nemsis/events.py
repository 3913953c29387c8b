"""The events that nemsis publishes (directive 13)."""

from __future__ import annotations

from app.core.events import Topic

EXPORT_STATUS_CHANGED = Topic("nemsis.export_status_changed", "A NEMSIS export moved to another state.")

TOPICS = (EXPORT_STATUS_CHANGED,)
