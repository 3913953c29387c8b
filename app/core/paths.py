"""Where the API stands: the one place that says it."""

from __future__ import annotations

API_PREFIX = "/api/v1"
