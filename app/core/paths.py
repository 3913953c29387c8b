"""The path of the API. It is declared only here."""

from __future__ import annotations

API_PREFIX = "/api/v1"
