"""The chapter of the OpenAPI document that all webhooks share."""

from __future__ import annotations

from app.core.tags import Tag

WEBHOOKS = Tag("webhooks", "Notices of outside systems, each with its own signature.")
