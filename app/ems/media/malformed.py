"""The one thing that a walker says of a content that it cannot walk."""

from __future__ import annotations


class Malformed(Exception):
    """Truncated, damaged, or of two types at once."""
